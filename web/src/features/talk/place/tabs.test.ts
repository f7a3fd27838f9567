// @vitest-environment node
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TalkError } from '@siphera/talk';
import { FakeBrowser, ticks, type FakeTab } from '#features/talk/place/testing/fake-browser.ts';

/** Enough steps for everything that is under way to end. */
const settled = (): Promise<void> => ticks(40);
const code = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'done',
    (error: unknown) => (error instanceof TalkError ? error.code : String(error)),
  );
const person = {
  user_id: 'ann',
  online: true,
  on_duty: true,
  duty_since: null,
  dnd_until: null,
};

describe('tabs', () => {
  it('have one engine among them, and the next tab takes over when one is closed', async () => {
    const browser = new FakeBrowser();
    const [first, second, third] = [browser.openTab(), browser.openTab(), browser.openTab()];
    await settled();
    expect([first.leads, second.leads, third.leads]).toEqual([true, false, false]);
    expect(await third.send('one')).toBe([...browser.sent.keys()][0]);
    await first.tabs.stop('closed');
    await settled();
    expect([first.leads, second.leads, third.leads]).toEqual([false, true, false]);
    await third.send('two');
    expect([...browser.sent.values()]).toEqual(['one', 'two']);
    expect(browser).toMatchObject({ enginesMost: 1, ended: ['closed'] });
  });

  it.each([
    ['before it has written', 8, 0],
    ['after it has written and before it answers', 1, 8],
  ])(
    'lose and double nothing when the tab that leads is killed in a sending, %s',
    async (_, before, after) => {
      const browser = new FakeBrowser();
      const [first, second] = [browser.openTab(), browser.openTab()];
      await settled();
      browser.slowness = { before, after };
      const sending = second.send('only once');
      await ticks(6);
      expect(browser.sent.size).toBe(after > 0 ? 1 : 0);
      browser.kill(first);
      const id = await sending;
      expect([...browser.sent]).toEqual([[id, 'only once']]);
    },
  );

  it('open the engine anew once when the browser takes its tables away, and then say in words that it failed', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    const lost = browser.engine?.lost;
    lost?.();
    await settled();
    await second.send('after the first time');
    expect([...browser.sent.values()]).toEqual(['after the first time']);
    expect(browser).toMatchObject({ enginesMost: 1, ended: ['closed'] });
    // Told twice, it is one loss.
    lost?.();
    await settled();
    expect(await second.tabs.ask('state', [])).toEqual({ is: 'absent' });
    browser.engine?.lost();
    await settled();
    const state = { is: 'failed', reason: expect.stringContaining('took the stored data') };
    for (const tab of [first, second]) expect(await tab.tabs.ask('state', [])).toEqual(state);
    expect(await code(second.send('too late'))).toBe('not_ready');
    expect(first.heard.at(-1)).toEqual({ what: 'state' });
    await first.tabs.stop('closed');
    await settled();
    // Another tab leads then, and tries for itself.
    expect(await second.tabs.ask('state', [])).toEqual({ is: 'absent' });
    expect(browser.enginesMost).toBe(1);
  });

  it('say that it failed when what was lost cannot be opened anew', async () => {
    const browser = new FakeBrowser();
    const tab = browser.openTab();
    await settled();
    browser.openFails = 1;
    browser.engine?.lost();
    await settled();
    expect(await tab.tabs.ask('state', [])).toEqual({ is: 'failed', reason: 'the wasm did not come' });
  });

  it('lose and double nothing whichever tabs come and are killed at whatever time', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), tab: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), tab: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), tab: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), tab: fc.nat(9) }) },
    );
    const steps = fc.array(fc.tuple(act, fc.nat(6)), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(4), fc.nat(4), async (acts, before, after) => {
        const browser = new FakeBrowser();
        browser.slowness = { before, after };
        let open: FakeTab[] = [browser.openTab(), browser.openTab()];
        const sends: { tab: FakeTab; text: string; answer: Promise<unknown>; ended: boolean }[] = [];
        for (const [{ kind, tab: which }, pause] of acts) {
          const tab = open[which % open.length]!;
          if (kind === 'open') open.push(browser.openTab());
          else if (kind === 'send') {
            const text = `message ${sends.length}`;
            const send = { tab, text, answer: tab.send(text), ended: false };
            sends.push(send);
            send.answer.catch(() => undefined);
          } else if (open.length > 1) {
            open = open.filter((one) => one !== tab);
            if (kind === 'kill') browser.kill(tab);
            else void tab.tabs.stop('closed');
          }
          await ticks(pause);
        }
        const living = sends.filter(({ tab }) => open.includes(tab));
        const ids = await Promise.all(living.map(({ answer }) => answer));
        for (const [at, { text }] of living.entries()) expect(browser.sent.get(ids[at] as string)).toBe(text);
        const texts = [...browser.sent.values()];
        expect(new Set(texts).size).toBe(texts.length);
        expect(browser.enginesMost).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it('keep the order of what one tab sends', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    browser.slowness = { before: 5, after: 5 };
    const sends = ['a', 'b', 'c', 'd'].map((text) => second.send(text));
    await ticks(3);
    browser.kill(first);
    await Promise.all(sends);
    expect([...browser.sent.values()]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('say of what must not be done twice that nobody knows whether it was done', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    browser.slowness = { before: 1, after: 9 };
    const making = code(second.tabs.ask('createGroup', [{ name: 'night shift', memberIds: [] }]));
    await ticks(5);
    browser.kill(first);
    expect(await making).toBe('not_ready');
    await settled();
    expect(browser.groups).toEqual(['night shift']);
  });

  it('all hear what the engine tells, and a tab that comes late knows the connection and who is there', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    browser.engine!.tell({ what: 'connection', online: true, waiting: 3 });
    browser.engine!.presence([person]);
    await settled();
    const third = browser.openTab();
    await settled();
    for (const tab of [first, second, third]) {
      expect(tab.heard).toContainEqual({ what: 'connection', online: true, waiting: 3 });
      expect(tab.presence.get('ann')).toEqual(person);
      expect(tab.heard).toContainEqual({ what: 'state' });
    }
    expect(first.heard.filter(({ what }) => what === 'connection')).toHaveLength(1);
    expect(second.heard.filter(({ what }) => what === 'connection')).not.toHaveLength(0);
  });

  it('read everything anew when another tab leads', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    second.heard.length = 0;
    browser.kill(first);
    await settled();
    expect(second.heard).toContainEqual({ what: 'state' });
  });

  it('get errors as the engine throws them', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    for (const tab of [first, second]) {
      expect(await code(tab.tabs.ask('acceptKeys', ['ann']))).toBe('keys_changed');
      expect(await code(tab.tabs.ask('markRead', ['d:ann']))).toMatch(/out of it/);
    }
  });

  it('refuse at once what no other tab can be told, and go on with the rest', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    expect(await code(second.tabs.ask('markRead', [() => 'a function']))).toMatch(/could not be cloned/);
    browser.kill(first);
    expect(await second.send('after it')).toBe([...browser.sent.keys()][0]);
  });

  it('wait for no tab for ever', async () => {
    const browser = new FakeBrowser();
    const [, second] = [browser.openTab(), browser.openTab()];
    await settled();
    browser.slowness = { before: 1_000_000, after: 0 };
    const sending = code(second.send('never'));
    await settled();
    second.timers[0]!();
    expect(await sending).toBe('not_ready');
    expect(second.timers).toHaveLength(0);
  });

  it('try again to open an engine that did not open', async () => {
    const browser = new FakeBrowser();
    browser.openFails = 2;
    const tab = browser.openTab();
    await settled();
    expect(await code(tab.tabs.ask('state', []))).toBe('not_ready');
    expect(await code(tab.tabs.ask('state', []))).toBe('done');
  });

  it('that are stopped answer nothing and lead no more, also when it was not their turn yet', async () => {
    const browser = new FakeBrowser();
    const [first, second] = [browser.openTab(), browser.openTab()];
    await settled();
    browser.slowness = { before: 30, after: 0 };
    const sending = code(second.send('too late'));
    await second.tabs.stop('closed');
    expect(await sending).toBe('not_ready');
    expect(await code(second.send('closed'))).toBe('not_ready');
    await first.tabs.stop('revoked');
    await settled();
    expect(browser).toMatchObject({ enginesOpen: 0, ended: ['revoked'] });
    expect(second.leads).toBe(false);
  });
});
