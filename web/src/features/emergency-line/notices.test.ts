import { beforeEach, describe, expect, it } from 'vitest';
import { noticeType, notices, parseNotice, readNotice, takeNotice } from './notices.ts';

const notice = {
  v: 1,
  uid: 'u-1',
  kind: 'emergency',
  state: 'started',
  number: '911',
  caller: 'Anna (201)',
  verified: true,
  location_id: 'a-1',
  location: 'Lobby, floor 2',
  callback: '+15550100',
  at: 1_790_000_000,
};
const hear = (over: object = {}): void => takeNotice(noticeType, JSON.stringify({ ...notice, ...over }));

beforeEach(() => {
  notices.value = [];
});

describe('notices of emergency calls', () => {
  it('are one for each call, however often it is told', () => {
    hear();
    hear();
    hear({ state: 'answered' });
    expect(notices.value).toMatchObject([{ uid: 'u-1', state: 'answered', location: 'Lobby, floor 2' }]);
    hear({ uid: 'u-2' });
    expect(notices.value.map(({ uid }) => uid)).toEqual(['u-2', 'u-1']);
  });

  it('go on and never back, and stay understood', () => {
    hear({ state: 'ended' });
    hear({ state: 'answered' });
    expect(notices.value[0]?.state).toBe('ended');
    hear({ uid: 'u-3' });
    readNotice('u-3');
    hear({ uid: 'u-3', state: 'ended' });
    expect(notices.value[0]).toMatchObject({ uid: 'u-3', state: 'ended', read: true });
  });

  it('leave alone what is none', () => {
    takeNotice('text/plain', JSON.stringify(notice));
    for (const body of ['', '{', '7', 'null', '[]', '{"v":2}', JSON.stringify({ ...notice, kind: 'party' })])
      takeNotice(noticeType, body);
    expect(notices.value).toEqual([]);
  });

  it('bound what a caller can write into them', () => {
    const long = parseNotice(JSON.stringify({ ...notice, caller: 'x'.repeat(5_000), at: 'soon' }));
    expect(long?.caller.length).toBeLessThan(500);
    expect(long?.at).toBe(0);
    for (let index = 0; index < 100; index += 1) hear({ uid: `u-${String(index)}` });
    expect(notices.value.length).toBeLessThanOrEqual(20);
  });
});
