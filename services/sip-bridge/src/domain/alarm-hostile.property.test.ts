import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readKey, readWav } from './alarm-audio.ts';
import { readSound } from './alarm-sdp.ts';
import {
  branchOf,
  cseqOf,
  digestAnswer,
  headerOf,
  readSip,
  routeSetOf,
  tagOf,
  uriOf,
} from './alarm-sip-message.ts';

const words = fc.constantFrom(
  'SIP/2.0 200 OK',
  'BYE sip:a SIP/2.0',
  'Via: ',
  'CSeq: 1 INVITE',
  'To: <sip:',
  ';tag=',
  'Record-Route: <',
  ' ',
);
const text = fc
  .array(fc.oneof(words, fc.string(), fc.constant('\r\n'), fc.constant('\r\n\r\n')), { maxLength: 30 })
  .map((parts) => parts.join(''));

it('reads whatever the network sends without a throw, and what it reads is bounded', () => {
  fc.assert(
    fc.property(text, (sent) => {
      const message = readSip(sent);
      readSound(sent);
      digestAnswer(sent, { username: 'u', password: 'p' }, { method: 'INVITE', uri: 'sip:a', cnonce: 'c' });
      if (!message) return;
      expect(message.headers.length).toBeLessThanOrEqual(200);
      for (const name of ['via', 'to', 'contact']) {
        branchOf(headerOf(message, name));
        tagOf(headerOf(message, name));
        uriOf(headerOf(message, name));
      }
      cseqOf(message);
      routeSetOf(message);
    }),
  );
});

it('reads keys and files out of any bytes, or says that they are none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isWav) => {
      const packet = Buffer.from(bytes);
      readKey(packet, 101);
      const file = isWav ? Buffer.concat([Buffer.from('RIFF0000WAVEfmt '), packet]) : packet;
      try {
        readWav(file);
      } catch (error) {
        expect((error as Error).message).toMatch(/WAV/);
      }
    }),
  );
});
