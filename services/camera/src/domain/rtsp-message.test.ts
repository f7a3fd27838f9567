import { describe, expect, it } from 'vitest';
import { interleavedChannels, rtspAnswer, RtspReader } from './rtsp-message.ts';

const ask = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');

describe('a reader of RTSP', () => {
  it('takes requests in any pieces, with bodies and interleaved data between them', () => {
    const bytes = Buffer.concat([
      ask('OPTIONS * RTSP/1.0\nCSeq: 1\n\n'),
      Buffer.from([0x24, 1, 0, 3, 1, 2, 3]),
      ask('\nGET_PARAMETER rtsp://x/t RTSP/1.0\nCSeq: 2\nContent-Length: 4\n\nabcd'),
      ask('PLAY rtsp://x/t RTSP/1.0\ncseq:3\nRange: npt=0-\n\n'),
    ]);
    for (const step of [1, 7, bytes.length]) {
      const reader = new RtspReader();
      const seen = [];
      for (let at = 0; at < bytes.length; at += step)
        seen.push(...reader.push(bytes.subarray(at, at + step)));
      expect(seen.map(({ method, cseq }) => `${method} ${cseq}`)).toEqual([
        'OPTIONS 1',
        'GET_PARAMETER 2',
        'PLAY 3',
      ]);
      expect(seen[2]?.headers.get('range')).toBe('npt=0-');
    }
  });

  it('refuses what is no request, and what is too long', () => {
    for (const bad of [
      'GET / HTTP/1.1\nCSeq: 1\n\n',
      'OPTIONS * RTSP/1.0\n\n',
      'OPTIONS * RTSP/1.0\nCSeq: x\n\n',
      'OPTIONS * RTSP/1.0\nCSeq: 1\nbad header\n\n',
      'OPTIONS * RTSP/1.0\nCSeq: 1\nContent-Length: 99999\n\n',
      `OPTIONS * RTSP/1.0\nCSeq: 1\n${'X: 1\n'.repeat(80)}\n`,
      'A'.repeat(9_000),
    ])
      expect(() => new RtspReader().push(ask(bad))).toThrow();
  });

  it('takes the first transport over TCP, and no other', () => {
    expect(interleavedChannels('RTP/AVP/TCP;unicast;interleaved=2-3')).toEqual({ rtp: 2, rtcp: 3 });
    expect(interleavedChannels('RTP/AVP;unicast;client_port=1-2,RTP/AVP/TCP;interleaved=4')).toEqual({
      rtp: 4,
      rtcp: 5,
    });
    expect(interleavedChannels('RTP/AVP/TCP;unicast')).toEqual({ rtp: 0, rtcp: 1 });
    for (const other of [
      '',
      'RTP/AVP',
      'RTP/AVP/UDP;unicast',
      'RTP/AVP/TCP;interleaved=1-1',
      'RTP/AVP/TCP;interleaved=999-1',
    ])
      expect(interleavedChannels(other)).toBeUndefined();
  });

  it('answers with the length of a body', () => {
    expect(rtspAnswer(200, '7', { Session: 'a' }, 'ü')).toBe(
      'RTSP/1.0 200 OK\r\nCSeq: 7\r\nServer: Siphera\r\nSession: a\r\nContent-Length: 2\r\n\r\nü',
    );
  });
});
