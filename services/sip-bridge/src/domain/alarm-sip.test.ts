import { describe, expect, it } from 'vitest';
import { outcomeOfCall } from './alarm-outcome.ts';
import { offerSdp, readSound } from './alarm-sdp.ts';
import {
  branchOf,
  cseqOf,
  digestAnswer,
  headerOf,
  readSip,
  routeSetOf,
  tagOf,
  uriOf,
  writeSip,
} from './alarm-sip-message.ts';
import { turnAfter } from './alarm-turn.ts';
import { alarmText, attemptWords } from './alarm-words.ts';

const answer = [
  'SIP/2.0 200 OK',
  'v: SIP/2.0/UDP 127.0.0.1:4000;branch=z9hG4bKabc;rport=4000',
  'Record-Route: <sip:10.0.0.1;lr;sig=1>,',
  ' <sip:10.0.0.2;lr>',
  'Record-Route: <sip:10.0.0.3;lr>',
  'To: "Gate, 1" <sip:201@box.test>;tag=x-1',
  'Contact: <sip:201@10.0.0.9:5062;ob>',
  'CSeq: 2 INVITE',
  '',
  'v=0\r\n',
].join('\r\n');

describe('a SIP message', () => {
  it('is read with short names and folded lines', () => {
    const message = readSip(answer)!;
    expect(message).toMatchObject({ status: 200, reason: 'OK', method: undefined, body: 'v=0\r\n' });
    expect(branchOf(headerOf(message, 'via'))).toBe('z9hG4bKabc');
    expect(routeSetOf(message)).toEqual([
      '<sip:10.0.0.3;lr>',
      '<sip:10.0.0.2;lr>',
      '<sip:10.0.0.1;lr;sig=1>',
    ]);
    expect(tagOf(headerOf(message, 'to'))).toBe('x-1');
    expect(uriOf(headerOf(message, 'contact'))).toBe('sip:201@10.0.0.9:5062;ob');
    expect(cseqOf(message)).toEqual({ number: 2, method: 'INVITE' });
  });

  it('that is none is nothing', () => {
    for (const text of ['', '\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', 'SIP/2.0 200 OK', 'INVITE\r\n\r\n'])
      expect(readSip(text)).toBeUndefined();
  });

  it('is never written with a line of somebody else in it', () => {
    expect(() => writeSip('BYE sip:a SIP/2.0', [['X-Place', 'a\r\nTo: b']])).toThrow('break');
    expect(writeSip('BYE sip:a SIP/2.0', [['X', 'ä']], 'ö')).toBe(
      'BYE sip:a SIP/2.0\r\nX: ä\r\nContent-Length: 2\r\n\r\nö',
    );
  });
});

describe('the proof of who calls', () => {
  const login = { username: 'Mufasa', password: 'Circle Of Life' };
  const request = { method: 'GET', uri: '/dir/index.html', cnonce: '0a4f113b' };
  const nonce = 'dcd98b7102dd2f0e8b11d0f600bfb0c093';

  it('is the one of RFC 2617 §3.5 where that is asked', () => {
    const challenge = `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="${nonce}", opaque="5ccc"`;
    const value = digestAnswer(challenge, { ...login }, request);
    expect(value).toContain('response="6629fae49393a05397450978507c4ef1"');
    expect(value).toContain('opaque="5ccc"');
  });

  it('is not made up for what asks for more', () => {
    for (const challenge of [
      'Basic realm="x"',
      'Digest realm="x"',
      `Digest realm="x", nonce="${nonce}", algorithm=SHA-256`,
      `Digest realm="x", nonce="${nonce}", qop="auth-int"`,
    ])
      expect(digestAnswer(challenge, login, request)).toBeUndefined();
  });
});

describe('SDP', () => {
  it('offers G.711 and keys, and reads where sound goes', () => {
    const own = offerSdp({ address: '192.0.2.4', port: 4_000, id: 5 });
    expect(readSound(own)).toEqual({ address: '192.0.2.4', port: 4_000, codec: 0, keys: 101 });
    const theirs =
      'v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/AVP 8 96\r\nc=IN IP4 10.0.0.2\r\na=rtpmap:96 telephone-event/8000\r\n';
    expect(readSound(theirs)).toEqual({ address: '10.0.0.2', port: 5_000, codec: 8, keys: 96 });
  });

  it('of what we cannot speak is nothing', () => {
    for (const body of [
      '',
      'm=audio 5000 RTP/AVP 0',
      'c=IN IP4 host.test\r\nm=audio 5000 RTP/AVP 0',
      'c=IN IP4 10.0.0.1\r\nm=audio 0 RTP/AVP 0',
      'c=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/AVP 9 18',
      'c=IN IP4 10.0.0.1\r\nm=video 5000 RTP/AVP 0',
    ])
      expect(readSound(body)).toBeUndefined();
  });
});

describe('how a call went', () => {
  const end = { answered: false, reason: 'r', leftWhileRinging: false, answeredMs: undefined, digits: '' };
  it('is told by what SIP said', () => {
    const of = (code: number | undefined, change = {}) => outcomeOfCall({ ...end, code, ...change }).outcome;
    expect(of(200, { answeredMs: 5 })).toBe('answered');
    expect([486, 600].map((code) => of(code))).toEqual(['busy', 'busy']);
    expect(of(603)).toBe('declined');
    expect([408, 480, 487].map((code) => of(code))).toEqual(['no_answer', 'no_answer', 'no_answer']);
    expect([404, 503, undefined, 200].map((code) => of(code))).toEqual([
      'failed',
      'failed',
      'failed',
      'failed',
    ]);
    expect(of(503, { leftWhileRinging: true })).toBe('no_answer');
  });
});

describe('turns', () => {
  const [a, b] = ['201', '202'].map((number) => ({ user_id: null, number }));
  it('go one after another, round by round, and end', () => {
    const order = { targets: [a!, b!], rounds: 2 };
    const turns = [0, 1, 2, 3, 4].map((made) => turnAfter(made, order));
    expect(turns.map((turn) => turn?.target.number)).toEqual(['201', '202', '201', '202', undefined]);
    expect(turns.map((turn) => turn?.isNewRound)).toEqual([false, false, true, false, undefined]);
    expect(turnAfter(0, { targets: [], rounds: 3 })).toBeUndefined();
  });
});

describe('words', () => {
  it('say the alarm and the keys, in one breath', () => {
    expect(alarmText('en', 'Door forced: Gate.\n')).toBe(
      'Alarm. Door forced: Gate. Press 1 to acknowledge, 9 to decline.',
    );
    expect(alarmText('de', 'Tor')).toContain('Drücken Sie 1');
    expect(alarmText('en', 'x'.repeat(5_000)).length).toBeLessThan(900);
  });

  it('say who was called, and why it did not come about', () => {
    const one = { name: 'Zoe', number: '201', detail: 'Busy Here (486)' };
    expect(attemptWords({ ...one, outcome: 'busy' })).toBe('Alarm call: Zoe (201) was busy');
    expect(attemptWords({ ...one, number: '', outcome: 'failed', detail: 'has no number' })).toBe(
      'Alarm call: Zoe could not be called: has no number',
    );
    expect(attemptWords({ ...one, name: '201', outcome: 'no_key' })).toBe(
      'Alarm call: 201 took it up and pressed no key',
    );
  });
});
