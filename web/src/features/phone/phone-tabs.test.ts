import { beforeEach, describe, expect, it } from 'vitest';
import { noLine, type LineCommand, type LineView } from './line-types.ts';
import { PhoneTabs, type PhoneTabMessage } from './phone-tabs.ts';
import { settled } from './testing/fake-clock.ts';

/** Locks and channel of one browser. */
class FakeBrowser {
  readonly hearers = new Map<string, (message: PhoneTabMessage) => void>();
  readonly opened: string[] = [];
  readonly stopped: string[] = [];
  readonly done: [string, LineCommand][] = [];
  readonly shown = new Map<string, { view: LineView; isHere: boolean }>();
  readonly changed = new Map<string, (view: LineView) => void>();
  #queue: Promise<unknown> = Promise.resolve();

  tab(name: string): PhoneTabs {
    const tab = new PhoneTabs({
      lockName: 'phone',
      locks: {
        request: ((_name: string, options: { signal: AbortSignal }, run: () => Promise<void>) => {
          const turn = this.#queue.then(() => (options.signal.aborted ? undefined : run()));
          this.#queue = turn;
          return turn;
        }) as unknown as LockManager['request'],
      },
      channel: {
        post: (message) => {
          for (const [other, hear] of this.hearers) if (other !== name) hear(structuredClone(message));
        },
        hear: (run) => this.hearers.set(name, run),
        close: () => this.hearers.delete(name),
      },
      open: (changed) => {
        this.opened.push(name);
        this.changed.set(name, changed);
        return {
          run: (command) => {
            this.done.push([name, command]);
            return Promise.resolve();
          },
          stop: () => this.stopped.push(name),
        };
      },
      shown: (view, isHere) => this.shown.set(name, { view, isHere }),
    });
    tab.start();
    return tab;
  }
}

const ready: LineView = { ...noLine, state: 'ready', number: '201' };
let browser: FakeBrowser;
beforeEach(() => {
  browser = new FakeBrowser();
});

describe('one softphone for all tabs', () => {
  it('runs in one tab, and the others show it', async () => {
    browser.tab('a');
    await settled();
    browser.tab('b');
    await settled();
    browser.changed.get('a')?.(ready);
    expect(browser.opened).toEqual(['a']);
    expect(browser.shown.get('a')).toEqual({ view: ready, isHere: true });
    expect(browser.shown.get('b')).toEqual({ view: ready, isHere: false });
  });

  it('tells a tab that is opened later what goes on', async () => {
    browser.tab('a');
    await settled();
    browser.changed.get('a')?.(ready);
    browser.tab('b');
    await settled();
    expect(browser.shown.get('b')).toEqual({ view: ready, isHere: false });
  });

  it('acts for the other tabs', async () => {
    browser.tab('a');
    await settled();
    const b = browser.tab('b');
    b.run({ act: 'dial', number: '202', name: '' });
    expect(browser.done).toEqual([['a', { act: 'dial', number: '202', name: '' }]]);
  });

  it('goes on in the next tab when its tab is closed', async () => {
    const a = browser.tab('a');
    await settled();
    browser.tab('b');
    a.stop();
    await settled();
    expect(browser.stopped).toEqual(['a']);
    expect(browser.opened).toEqual(['a', 'b']);
  });

  it('is never opened by a tab that was closed while it waited', async () => {
    browser.tab('a');
    await settled();
    browser.tab('b').stop();
    await settled();
    expect(browser.opened).toEqual(['a']);
  });
});
