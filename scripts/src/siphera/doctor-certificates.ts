/** The certificates: how long they hold, for which names, and whether the front door shows the one on disk. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type BoxPlace, pkiFile } from './box.ts';
import { broken, type Check, type Finding, ok, warning } from './finding.ts';
import { shownCertificate } from './probe.ts';

/** The renewal starts 30 days before the end; below this it has not worked for two weeks. */
const renewalLateMs = 14 * 24 * 3_600_000;
/** Phones and devices must be told about a new CA by hand. */
const caWarningMs = 180 * 24 * 3_600_000;

const readCertificate = (file: string): X509Certificate | undefined =>
  existsSync(file) ? new X509Certificate(readFileSync(file)) : undefined;

export const certificateCheck: Check = ({ box, nowMs }) => {
  const parts = [
    { name: "the box's CA", file: pkiFile(box, 'ca', 'ca.crt'), warnMs: caWarningMs },
    { name: 'the front door', file: pkiFile(box, 'front', 'front.crt'), warnMs: renewalLateMs },
    { name: 'the broker', file: pkiFile(box, 'mqtt', 'mqtt.crt'), warnMs: renewalLateMs },
    {
      name: "core's access to the broker",
      file: pkiFile(box, 'core', 'siphera-core.crt'),
      warnMs: renewalLateMs,
    },
  ];
  return [...parts.flatMap((part) => lifeOf(part, nowMs, box)), ...nameFinding(box)];
};

function lifeOf(
  part: { name: string; file: string; warnMs: number },
  nowMs: number,
  box: BoxPlace,
): Finding[] {
  const certificate = readCertificate(part.file);
  const renew =
    box.ownCertificate && part.file.includes('front')
      ? 'Get a new one from your authority: ./install.sh --cert FILE --key FILE.'
      : './install.sh issues it anew.';
  if (!certificate) {
    return broken(
      `The certificate of ${part.name} is missing (${part.file})`,
      'No connection can be made.',
      renew,
    );
  }
  const endMs = certificate.validToDate.getTime();
  const text = `The certificate of ${part.name} holds until ${new Date(endMs).toISOString().slice(0, 10)}`;
  if (certificate.validFromDate.getTime() > nowMs) {
    return broken(
      `The certificate of ${part.name} is not valid yet`,
      'The clock is probably wrong.',
      'Set the clock.',
    );
  }
  if (endMs <= nowMs) return broken(`${text}: it has ended`, 'Browsers or devices refuse the box.', renew);
  return endMs - nowMs < part.warnMs ? warning(text, 'After that nobody connects.', renew) : ok(text);
}

function nameFinding(box: BoxPlace): Finding[] {
  const certificate = readCertificate(pkiFile(box, 'front', 'front.crt'));
  if (!certificate) return [];
  return certificate.checkHost(box.hostName) === undefined
    ? broken(
        `The front door's certificate is not for ${box.hostName} (but for ${certificate.subjectAltName ?? 'nobody'})`,
        'Browsers warn, and microphone, notifications and the installed app do not work.',
        './install.sh --host-name NAME with the name that people use.',
      )
    : ok(`The front door's certificate is for ${box.hostName}`);
}

export const certificateShownCheck: Check = async ({ box }) => {
  const shown = await shownCertificate(box.front, box.hostName);
  const onDisk = readCertificate(pkiFile(box, 'front', 'front.crt'));
  if (!shown || !onDisk) return [];
  return shown.fingerprint256 === onDisk.fingerprint256
    ? ok('The front door shows the certificate that is on disk')
    : broken(
        'The front door shows another certificate than the one on disk',
        'It would go on with an old one until it ends.',
        'siphera restart; if it stays so, something else answers on this port.',
      );
};
