/** The SIP stack itself, with a websocket and a media engine that are made up: what of a call's beginning reaches us. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AgentCall, CallEnd, SipAgent } from './agent-types.ts';
import { makeSipAgent } from './sip-agent.ts';

class FakeSocket {
  static made: FakeSocket[] = [];
  static readonly OPEN = 1;
  readonly OPEN = 1;
  readonly CONNECTING = 0;
  readonly sent: string[] = [];
  readyState = 0;
  onopen: () => void = () => undefined;
  onclose: (event: object) => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onerror: () => void = () => undefined;

  constructor() {
    FakeSocket.made.push(this);
  }
  send(message: string): void {
    this.sent.push(message);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen();
  }
}

class FakeConnection extends EventTarget {
  readonly iceGatheringState = 'complete';
  readonly signalingState = 'stable';
  readonly localDescription = { type: 'offer', sdp: 'v=0\r\n' };
  createOffer = () => Promise.resolve(this.localDescription);
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription = () => Promise.resolve();
  getSenders = () => [];
  addTrack = () => undefined;
  close = () => undefined;
}

let agent: SipAgent;
let socket: FakeSocket;
let said: string[];
let end: CallEnd | undefined;

beforeEach(() => {
  FakeSocket.made = [];
  said = [];
  end = undefined;
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('RTCPeerConnection', FakeConnection);
  vi.stubGlobal('MediaStream', EventTarget);
  agent = makeSipAgent(
    { uri: 'sip:anonymous@box.example', url: 'wss://box.example/sip', displayName: '', login: undefined },
    {
      connected: () => undefined,
      registered: () => undefined,
      incoming: () => undefined,
      message: () => undefined,
    },
  );
  agent.start();
  [socket] = FakeSocket.made as [FakeSocket];
  socket.open();
});
afterEach(() => {
  agent.stop();
  vi.unstubAllGlobals();
});

async function dial(): Promise<AgentCall> {
  const call = agent.call({
    number: '911',
    stream: undefined,
    headers: [],
    events: {
      taken: () => said.push('taken'),
      progress: () => said.push('progress'),
      answered: () => said.push('answered'),
      ended: (how) => {
        said.push('ended');
        end = how;
      },
      remote: () => undefined,
      heldByThem: () => undefined,
      transferred: () => undefined,
    },
  });
  await vi.waitFor(() => expect(requests('INVITE')).toHaveLength(1), 20_000);
  await Promise.resolve();
  return call;
}

const requests = (method: string): string[] => socket.sent.filter((text) => text.startsWith(`${method} `));

/** What the switch says to the INVITE. */
function answer(status: string, more: readonly string[] = []): void {
  const [invite = ''] = requests('INVITE');
  const own = invite.split('\r\n').filter((line) => /^(via|from|call-id|cseq):/i.test(line));
  const to = /^To: (.*)$/m.exec(invite)?.[1]?.trim() ?? '';
  const head = [`SIP/2.0 ${status}`, ...own, `To: ${to};tag=t`, ...more, 'Content-Length: 0'];
  socket.onmessage({ data: `${head.join('\r\n')}\r\n\r\n` });
}

it('says that a call is under way as soon as a 100 comes, of which the session says nothing', async () => {
  await dial();
  expect(said).toEqual([]);
  answer('100 Trying');
  expect(said).toEqual(['taken']);
});

it('hands on how long the switch asks to wait', async () => {
  await dial();
  answer('503 Too Many Emergency Calls', ['Retry-After: 10 (soon);duration=60']);
  expect(said).toEqual(['taken', 'ended']);
  expect(end).toMatchObject({ by: 'them', code: 503, retryAfterMs: 10_000 });
});

it('ends a call whose connection breaks, in a manner that tells it from an answer', async () => {
  await dial();
  answer('100 Trying');
  socket.readyState = 3;
  socket.onclose({ wasClean: false, code: 1006, reason: '' });
  expect(said).toEqual(['taken', 'ended']);
  expect(end).toMatchObject({ by: 'line', code: null, retryAfterMs: null });
});

it('says that we ended a call only when we did', async () => {
  const call = await dial();
  answer('100 Trying');
  call.hangUp();
  expect(said).toEqual(['taken', 'ended']);
  expect(end).toMatchObject({ by: 'us', code: null });
  expect(requests('CANCEL')).toHaveLength(1);
});
