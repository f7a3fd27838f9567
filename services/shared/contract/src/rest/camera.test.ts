import { expect, it } from 'vitest';
import { CameraInput } from './camera.ts';

const takes = (url: string): boolean =>
  CameraInput.safeParse({
    name: 'Gate',
    area_id: '0198b3c4-0000-7000-8000-000000000001',
    connection: 'rtsp',
    rtsp_urls: [url],
  }).success;

it.each(['rtsp://10.0.0.9/main', 'rtsps://cam.lan:322/a?b=c', 'rtsp://[fd00::9]:554/x', 'rtsp://cam'])(
  'takes %s as the address of a stream',
  (url) => {
    expect(takes(url)).toBe(true);
  },
);

it.each(['rtsp://:7080/x', 'rtsp:///x', 'rtsp://user:word@10.0.0.9/x', 'file:///etc/passwd', 'rtsp://a b/x'])(
  'refuses %s, which names no host of its own or carries more than an address',
  (url) => {
    expect(takes(url)).toBe(false);
  },
);
