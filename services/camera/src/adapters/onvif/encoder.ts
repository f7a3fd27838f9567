/**
 * Sets a stream of a camera to H.264, because browsers play that everywhere and H.265 in few places. By Media2, which alone
 * knows H.265, else by Media. What else the stream is (size, rate, bitrate) stays as near as its H.264 encoder goes.
 */
import {
  asH264,
  askMedia,
  askMedia2,
  encoderNode,
  encoderTokenOf,
  isH264,
  readEncoder,
  readMedia2Options,
  readMediaOptions,
  setMedia,
  setMedia2,
} from '../../domain/onvif/encoder-settings.ts';
import type { Login } from '../../domain/camera-row.ts';
import type { DescribedStream } from '../../domain/sdp.ts';
import type { CameraNetwork } from '../camera-network.ts';
import type { OnvifCamera } from './onvif-camera.ts';
import { OnvifError } from './onvif-error.ts';
import { describeRtsp } from './rtsp-describe.ts';

/** Cameras restart their encoder, and some their RTSP server: until it answers in the new codec, or for this long. */
const settleMs = 10_000;
const settleEveryMs = 500;

const forms = {
  media2: { ask: askMedia2, options: readMedia2Options, set: setMedia2 },
  media: { ask: askMedia, options: readMediaOptions, set: setMedia },
} as const;

/** @throws OnvifError `refused` when it has no H.264 encoder or does not take the setting. */
export async function setToH264(camera: OnvifCamera, profileToken: string): Promise<void> {
  const service = camera.hasMedia2 ? 'media2' : 'media';
  const { ask, options, set } = forms[service];
  const token = encoderTokenOf(await camera.askMedia(service, ask.profile(profileToken)), profileToken);
  if (token === undefined) throw new OnvifError('nonsense', 'its profile has no video encoder');
  const was = encoderNode(await camera.askMedia(service, ask.encoder(token)), token);
  const settings = was && readEncoder(was);
  if (!settings) throw new OnvifError('nonsense', 'it does not tell its encoder settings');
  if (isH264(settings)) return;
  const able = options(await camera.askMedia(service, ask.options(token, profileToken)));
  if (!able) throw new OnvifError('refused', 'the camera has no H.264 encoder for this stream');
  await camera.askMedia(service, set(was, asH264(settings, able)));
  const now = encoderNode(await camera.askMedia(service, ask.encoder(token)), token);
  const taken = now && readEncoder(now);
  if (!taken || !isH264(taken)) throw new OnvifError('refused', 'it took the setting and did not keep it');
}

/** What the stream is, once it is H.264; what it was last when it does not become so. @throws OnvifError when it stays away. */
export async function settledStream(
  url: string,
  login: Login | undefined,
  { network, monotonic }: { network: CameraNetwork; monotonic: () => number },
): Promise<DescribedStream> {
  const until = monotonic() + settleMs;
  for (;;) {
    const last = await describeRtsp(url, login, network).catch((error: unknown) => {
      if (error instanceof OnvifError && error.kind !== 'unauthorised') return error;
      throw error;
    });
    if (!(last instanceof OnvifError) && last.video === 'h264') return last;
    if (monotonic() >= until) {
      if (last instanceof OnvifError) throw last;
      return last;
    }
    await new Promise((resolve) => setTimeout(resolve, settleEveryMs));
  }
}
