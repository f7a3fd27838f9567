import type { FeedEntry, FeedLine } from '@siphera/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { RealtimeLink, type LinkState, type SocketEvents, type StreamEvents } from './realtime-link.ts';

const entry = (seq: number): FeedEntry => ({
  seq,
  at: '2026-11-22T10:00:00.000Z',
  kind: 'incident',
  action: 'updated',
  id: `incident-${String(seq)}`,
  audience: 'incident.read',
  scopes: [],
  data: {},
});
const line = (upto: number, ...seqs: number[]): FeedLine => ({
  entries: seqs.map(entry),
  upto,
  at: '2026-11-22T10:00:00.000Z',
});

/** A link on a hand-turned clock with two transports that the test speaks for. */
function makeLink() {
  let now = 0;
  let tick: () => void = () => undefined;
  const seen: number[] = [];
  const states: LinkState[] = [];
  const calls = { gaps: 0, revoked: 0, refused: 0, socketsClosed: 0, renewed: [] as string[] };
  let socket: SocketEvents | undefined;
  let socketAfter: () => number | undefined = () => undefined;
  const streams: { after: number | undefined; events: StreamEvents; open: boolean }[] = [];
  const link = new RealtimeLink({
    now: () => now,
    every: (_ms, run) => {
      tick = run;
      return () => {
        tick = () => undefined;
      };
    },
    openSocket: (after, events) => {
      socket = events;
      socketAfter = after;
      return { close: () => (calls.socketsClosed += 1), renew: (token) => calls.renewed.push(token) };
    },
    openStream: (after, events) => {
      const stream = { after, events, open: true };
      streams.push(stream);
      return {
        close: () => {
          stream.open = false;
        },
      };
    },
    onState: (state) => states.push(state),
    onEntries: (entries) => seen.push(...entries.map((one) => one.seq)),
    onGap: () => (calls.gaps += 1),
    onRevoked: () => (calls.revoked += 1),
    onTokenRefused: () => (calls.refused += 1),
  });
  return {
    link,
    seen,
    states,
    calls,
    streams,
    socket: (): SocketEvents => {
      if (!socket) throw new Error('no socket was opened');
      return socket;
    },
    resumesAfter: () => socketAfter(),
    pass: (ms: number): void => {
      for (let left = ms; left > 0; left -= 250) {
        now += 250;
        tick();
      }
    },
  };
}

describe('the realtime link', () => {
  let world: ReturnType<typeof makeLink>;
  beforeEach(() => {
    world = makeLink();
    world.link.start(100);
  });

  it('is live with the first frame of the socket', () => {
    expect(world.link.state).toBe('connecting');
    world.socket().frame(line(101, 101));
    expect(world.link.state).toBe('live');
    expect(world.seen).toEqual([101]);
  });

  it('reads core directly after two seconds of silence, from where it stood', () => {
    world.socket().frame(line(101, 101));
    world.pass(1_750);
    expect(world.streams).toHaveLength(0);
    world.pass(250);
    expect(world.streams).toHaveLength(1);
    expect(world.streams[0]?.after).toBe(100);
    world.streams[0]?.events.line(line(102, 101, 102));
    expect(world.link.state).toBe('fallback');
    expect(world.seen).toEqual([101, 102]);
  });

  it('returns to the socket and closes the stream when frames come again', () => {
    world.pass(2_000);
    world.streams[0]?.events.line(line(105, 105));
    world.socket().frame(line(106, 105, 106));
    expect(world.link.state).toBe('live');
    expect(world.streams[0]?.open).toBe(false);
    expect(world.seen).toEqual([105, 106]);
  });

  it('ignores what a stream says after it was closed', () => {
    world.pass(2_000);
    const [stream] = world.streams;
    world.socket().frame(line(101, 101));
    stream?.events.line(line(102, 102));
    stream?.events.closed(401);
    expect(world.seen).toEqual([101]);
    expect(world.calls.refused).toBe(0);
  });

  it('is offline while neither answers, and tries the stream again', () => {
    world.pass(2_000);
    expect(world.link.state).toBe('connecting');
    world.streams[0]?.events.closed('failed');
    world.pass(250);
    expect(world.link.state).toBe('offline');
    world.pass(2_000);
    expect(world.streams.length).toBeGreaterThan(1);
  });

  it('opens the next stream at once when the server ended one in order, without a moment of offline', () => {
    world.pass(2_000);
    world.streams[0]?.events.line(line(101, 101));
    world.streams[0]?.events.closed('ended');
    world.pass(250);
    expect(world.streams).toHaveLength(2);
    expect(world.states).not.toContain('offline');
  });

  it('leaves a stream that opened and says nothing', () => {
    world.pass(2_000);
    world.pass(5_250);
    expect(world.link.state).toBe('offline');
    expect(world.streams[0]?.open).toBe(false);
  });

  it('applies an entry once, also when frames of two rooms overtake each other', () => {
    world.socket().frame(line(107, 105, 107));
    world.socket().frame(line(107, 106));
    world.socket().frame(line(108, 107, 108));
    expect(world.seen).toEqual([105, 107, 106, 108]);
  });

  it('resumes from a little before the newest frame, so that an overtaken one is not lost', () => {
    world.socket().frame(line(110, 110));
    world.pass(1_000);
    world.socket().frame(line(120, 120));
    expect(world.resumesAfter()).toBe(100);
    world.pass(1_000);
    world.socket().frame(line(130, 130));
    expect(world.resumesAfter()).toBe(120);
    expect(world.link.upto).toBe(130);
  });

  it('reads everything again when the server cannot replay what was missed', () => {
    world.socket().frame(line(110, 110));
    world.socket().bye('gap');
    expect(world.calls.gaps).toBe(1);
    expect(world.resumesAfter()).toBeUndefined();
  });

  it('tells a revoked session from an expired token', () => {
    world.socket().bye('revoked');
    world.socket().bye('expired');
    expect(world.calls).toMatchObject({ revoked: 1, refused: 1 });
  });

  it('takes 410 of the stream as a gap and 401 as a token to renew', () => {
    world.pass(2_000);
    world.streams[0]?.events.closed(410);
    world.pass(1_500);
    world.streams[1]?.events.closed(401);
    expect(world.calls).toMatchObject({ gaps: 1, refused: 1 });
  });

  it('hands a fresh token to the open socket, and stops everything when signed out', () => {
    world.link.renew('fresh');
    world.pass(2_000);
    world.link.stop();
    expect(world.calls.renewed).toEqual(['fresh']);
    expect(world.calls.socketsClosed).toBe(1);
    expect(world.streams.every((stream) => !stream.open)).toBe(true);
    expect(world.link.state).toBe('idle');
  });
});
