/** Cameras: where footage goes, what makes pictures of it, and whether browsers reach live video. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { broken, type Check, type Finding, ok, warning } from './finding.ts';
import { askDaemon } from './probe.ts';

const run = promisify(execFile);
const gib = 1024 ** 3;
/** The recorder keeps head-room by deleting the oldest footage; below this there is hardly any to delete. */
const footageWarningBytes = 5 * gib;

/** As root, so that a read-only or missing disk shows, and wrong owners are told apart from it. */
export const footageCheck: Check = ({ box }) => {
  const { recordingsDir } = box;
  const why = 'Nothing is recorded, and incidents get no clip.';
  try {
    rmdirSync(mkdtempSync(join(recordingsDir, '.doctor-')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return broken(
      `Nothing can be written to ${recordingsDir} (${code ?? 'unknown'})`,
      why,
      'Look whether the disk is mounted, and writable (mount, dmesg); then siphera restart.',
    );
  }
  const owner = statSync(join(box.dataDir, 'camera')).uid;
  const { uid, mode } = statSync(recordingsDir);
  if (uid !== owner || (mode & 0o200) === 0) {
    return broken(
      `${recordingsDir} does not belong to the camera service`,
      why,
      './install.sh sets it right.',
    );
  }
  const { bavail, bsize, blocks } = statfsSync(recordingsDir);
  const free = bavail * bsize;
  const text = `${(free / gib).toFixed(1)} of ${((blocks * bsize) / gib).toFixed(1)} GiB free for footage at ${recordingsDir}`;
  return free >= footageWarningBytes ? ok(text) : scarce(text);
};

const scarce = (text: string): Finding[] =>
  warning(
    text,
    'Footage is deleted before its days are over; when none is left to delete, recording stops.',
    'Give a larger disk (--recordings-dir), add a storage (Cameras), or keep fewer days.',
  );

/** In Compose ffmpeg is part of the camera service's image. */
export const pictureToolsCheck: Check = async ({ box }) => {
  if (box.mode === 'docker') return [];
  try {
    const { stdout } = await run('ffmpeg', ['-version']);
    return ok(`ffmpeg is there (${/^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'unknown'})`);
  } catch {
    return broken('ffmpeg is missing', 'No camera can be recorded or watched.', './install.sh installs it.');
  }
};

export const janusCheck: Check = async ({ box }) => {
  const up = await askDaemon(box.media.janus);
  if (up === undefined) return [];
  return up
    ? ok('Janus answers')
    : warning(
        'Janus does not answer',
        'Live pictures come by HTTP alone: later, and with more load.',
        'siphera logs janus, then siphera restart',
      );
};

export const mediaAddressCheck: Check = ({ box }) => {
  const { address, ports, ownAddresses } = box.media;
  if (ownAddresses === undefined) return [];
  const why = 'Browsers get no live video by WebRTC; pictures come by HTTP alone.';
  if (address === 'auto') {
    return ownAddresses.length > 0
      ? ok(`Live video comes from an address of this machine, UDP ports ${ports}`)
      : warning('This machine has no address but loopback', why, 'Connect it to the LAN, then ./install.sh.');
  }
  return ownAddresses.includes(address)
    ? ok(`Live video comes from ${address}, UDP ports ${ports}`)
    : warning(
        `Live video is to come from ${address}, which is no address of this machine`,
        why,
        './install.sh --media-address auto, or the right address.',
      );
};
