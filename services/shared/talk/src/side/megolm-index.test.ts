import { DeviceId, EncryptionSettings, OlmMachine, RoomId, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from './bytes.ts';
import { readMegolmIndex } from './megolm-index.ts';

const org = '018f0000-0000-7000-8000-0000000000aa';
const megolm = (bytes: number[]) => ({
  algorithm: 'm.megolm.v1.aes-sha2',
  session_id: 'session',
  ciphertext: toBase64(Uint8Array.from(bytes), 'unpadded'),
});

describe('Megolm index', () => {
  it('is read out of what the library writes, message after message', async () => {
    const machine = await OlmMachine.initialize(
      new UserId(`@018f0000-0000-7000-8000-000000000001:${org}`),
      new DeviceId('AAAAAAAAAA'),
    );
    const room = new RoomId(`!018f0000-0000-7000-8000-000000000002:${org}`);
    const settings = new EncryptionSettings();
    settings.rotationPeriodMessages = 1_000n;
    await machine.shareRoomKey(room, [], settings);
    const sessions = new Set<string>();
    for (let index = 0; index < 300; index += 1) {
      const content = await machine.encryptRoomEvent(room, 'siphera.message', '{"body":"hello"}');
      const read = readMegolmIndex(JSON.parse(content));
      expect(read?.index).toBe(index);
      sessions.add(read!.sessionId);
    }
    expect(sessions.size).toBe(1);
    machine.close();
  });

  it('is read up to the largest, in its shortest form alone', () => {
    expect(readMegolmIndex(megolm([3, 8, 0]))?.index).toBe(0);
    expect(readMegolmIndex(megolm([3, 8, 0x80, 1]))?.index).toBe(128);
    expect(readMegolmIndex(megolm([3, 8, 0xff, 0xff, 0xff, 0xff, 0x0f]))?.index).toBe(0xffff_ffff);
    expect(readMegolmIndex(megolm([3, 8, 0xff, 0xff, 0xff, 0xff, 0x1f]))).toBeUndefined();
    expect(readMegolmIndex(megolm([3, 8, 0x81, 0]))).toBeUndefined();
    expect(readMegolmIndex(megolm([3, 8, 0x80]))).toBeUndefined();
    expect(readMegolmIndex(megolm([4, 8, 1]))).toBeUndefined();
    expect(readMegolmIndex(megolm([3, 0x12, 1]))).toBeUndefined();
  });

  it('is undefined for anything else, never an error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (junk) => {
        expect(readMegolmIndex(junk)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const index = readMegolmIndex(megolm([...bytes]))?.index ?? 0;
        expect(Number.isInteger(index) && index >= 0 && index <= 0xffff_ffff).toBe(true);
      }),
    );
    expect(readMegolmIndex({ ...megolm([3, 8, 1]), algorithm: 'm.olm.v1' })).toBeUndefined();
  });
});
