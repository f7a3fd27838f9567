/** Why `node-onvif`, which the design card names, is not used (docs/adr/0007): the day this fails, look at it again. */
import { createRequire } from 'node:module';
import { startFakeCamera, type FakeCameraOptions } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';

type NodeOnvif = {
  OnvifDevice: new (options: { xaddr: string; user: string; pass: string }) => { init(): Promise<unknown> };
};
const { OnvifDevice } = createRequire(import.meta.url)('node-onvif') as NodeOnvif;

async function initialise(options: FakeCameraOptions): Promise<string> {
  const camera = await startFakeCamera({ rtsp: false, ...options });
  const { username: user, password: pass } = camera.credentials;
  try {
    await new OnvifDevice({ xaddr: camera.deviceUrl, user, pass }).init();
    return 'ok';
  } catch (error) {
    return String(error);
  } finally {
    await camera.stop();
  }
}

describe('node-onvif 0.1.7', () => {
  it('speaks to cameras with WS-Security, also with a wrong clock', async () => {
    expect(await initialise({ auth: 'wsse', clockOffsetMs: -3_600_000 })).toBe('ok');
  });

  it('cannot sign in to a camera that takes digests only', async () => {
    expect(await initialise({ auth: 'digest' })).toContain('401');
  });

  it('loses a camera that tells an address behind NAT', async () => {
    expect(await initialise({ auth: 'wsse', faults: { xaddrHost: '203.0.113.77' } })).not.toBe('ok');
  });
});
