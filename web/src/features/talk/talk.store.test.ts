import { createPinia, setActivePinia } from 'pinia';
import { reactive } from 'vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useSession, type SignedIn } from '#app/session.store.ts';
import { notedEndings } from '#features/talk/endings.ts';
import { cloneable } from '#features/talk/place/talk-methods.ts';
import { useTalk } from '#features/talk/talk.store.ts';

const answer = (userId: string): SignedIn =>
  ({
    access_token: 't',
    expires_in: 300,
    me: {
      user: { id: userId, org_id: 'o' },
      session_id: 's',
      org: { id: 'o', name: 'Org' },
      permissions: [],
    },
  }) as unknown as SignedIn;

beforeEach(() => {
  localStorage.clear();
  setActivePinia(createPinia());
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no route to the box')));
});
afterEach(() => {
  useSession().leave(undefined);
  vi.unstubAllGlobals();
});
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('talk for pages', () => {
  it('starts nothing by itself in a browser that is no device of who signed in', async () => {
    localStorage.setItem('siphera_talk:someone-else', '1');
    useSession().signIn(answer('ann'));
    const talk = useTalk();
    talk.startIfKnown();
    await settled();
    expect(talk.started).toBe(false);
    expect(talk.state).toEqual({ is: 'absent' });
  });

  it('says why it could not be opened, and can be tried again', async () => {
    localStorage.setItem('siphera_talk:ann', '1');
    useSession().signIn(answer('ann'));
    const talk = useTalk();
    // jsdom has no locks over tabs: a browser in which talk must not run.
    await expect(talk.start()).rejects.toThrow(/secure page/);
    expect(talk.state).toMatchObject({
      is: 'failed',
      reason: expect.stringMatching(/secure page/) as string,
    });
    expect(talk.started).toBe(false);
    await expect(talk.api.conversations()).rejects.toThrow(/secure page/);
  });

  it('shows nothing of one person to the next', async () => {
    const session = useSession();
    session.signIn(answer('ann'));
    const talk = useTalk();
    await talk.start().catch(() => undefined);
    talk.people = [{ id: 'x' } as never];
    session.signIn(answer('ben'));
    await settled();
    expect(talk.state).toEqual({ is: 'absent' });
    expect(talk.people).toEqual([]);
    expect(notedEndings()).toEqual([]);
  });

  it('notes that a revoked session opens its store no more without the server', async () => {
    const session = useSession();
    session.signIn(answer('ann'));
    useTalk();
    session.leave('revoked');
    await settled();
    expect(notedEndings()).toEqual([{ userId: 'ann', ending: 'lock' }]);
  });

  it('sends to other tabs what pages hold as reactive', () => {
    const blob = new Blob(['x']);
    const draft = reactive({
      body: 'hi',
      links: [{ kind: 'camera', id: 'c', label: 'Gate' }],
      file: { blob, name: 'f' },
    });
    const sent = cloneable(draft) as typeof draft;
    expect(structuredClone({ ...sent, file: undefined }).links).toEqual([
      { kind: 'camera', id: 'c', label: 'Gate' },
    ]);
    expect(sent.file.blob).toBe(blob);
  });
});
