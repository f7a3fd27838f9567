/**
 * What a frame is, before anything is stored: pure, total, no I/O. The rules, in order:
 * bad CRC or length → silence; cannot be decrypted, or plain where encryption is required → DUH (§5.5.3.3);
 * encrypted with a time outside +20 s/−40 s → NAK with our time (§5.5.1.9); everything else → ACK, known or not.
 */
import { createHash } from 'node:crypto';
import type { Account } from './account.ts';
import type { Echo } from './answer.ts';
import { decrypt } from './cipher.ts';
import { readContactId } from './contact-id.ts';
import { extendedValue, readableText, readContent, readDecrypted, type Content } from './content.ts';
import { readFrame, readHeader, type Header } from './frame.ts';
import type { Report } from './report.ts';
import { eventsPerMessageMax, readSia } from './sia-dcs.ts';
import { isTimely, readTimestamp } from './timestamp.ts';

export type Protocol = 'ADM-CID' | 'SIA-DCS' | 'NULL' | 'OTHER';

export type Message = {
  account: string;
  protocol: Protocol;
  /** Receiver and line: together with the sequence they name a message of the account. */
  path: string;
  sequence: string;
  /** Hash of what the message says, without pad and timestamp, which a panel may renew when it sends again. */
  contentHash: Buffer;
  stamp: string | undefined;
  stampMs: number | undefined;
  /** Extended data H (§5.5.1.8): when it happened, where the panel says so. */
  occurredMs: number | undefined;
  /** Extended data V: where to look. */
  verification: string | undefined;
  encrypted: boolean;
  timely: boolean;
  /** Empty for a link test (NULL). */
  reports: Report[];
};

export type Judgement =
  | { kind: 'bad'; reason: 'bad_crc' | 'bad_length'; account: string | undefined }
  | {
      kind: 'unable';
      reason: 'no_key' | 'not_decipherable' | 'encryption_required';
      account: string;
      echo: Echo;
    }
  | { kind: 'message'; message: Message; echo: Echo };

/** `find` gives what is known of an account number, given in upper case. */
export function judge(
  bytes: Buffer,
  find: (account: string) => Account | undefined,
  nowMs: number,
): Judgement {
  const frame = readFrame(bytes);
  const header = readHeader(frame.body);
  if (!frame.crcOk || !frame.lengthOk) {
    return {
      kind: 'bad',
      reason: frame.crcOk ? 'bad_length' : 'bad_crc',
      account: header && accountOf(header),
    };
  }
  if (!header) {
    const echo = { crcForm: frame.crcForm, sequence: '0000', receiver: 'R0', line: 'L0', account: undefined };
    return { kind: 'message', echo, message: unreadable(frame.body) };
  }
  const echo: Echo = { ...header, crcForm: frame.crcForm };
  const account = accountOf(header);
  const known = find(account);
  if (!header.encrypted) {
    if (known?.requireEncryption) return { kind: 'unable', reason: 'encryption_required', account, echo };
    return { kind: 'message', echo, message: toMessage(header, account, readContent(header.rest), nowMs) };
  }
  if (!known?.key) return { kind: 'unable', reason: 'no_key', account, echo };
  const text = decrypt(header.rest.trim(), known.key);
  const content = text === undefined ? undefined : readDecrypted(text);
  if (!content) return { kind: 'unable', reason: 'not_decipherable', account, echo };
  return { kind: 'message', echo, message: toMessage(header, account, content, nowMs) };
}

/** The account in the header, else the one in the data; a frame without any is of account `UNKNOWN`. */
function accountOf(header: Header): string {
  const inData = header.encrypted ? undefined : /^#([0-9A-Za-z]{1,16})/.exec(header.rest)?.[1];
  const account = readableText(header.account ?? inData ?? '', 16).toUpperCase();
  return account === '' ? unknownAccount : account;
}
const unknownAccount = 'UNKNOWN';

function toMessage(header: Header, account: string, content: Content, nowMs: number): Message {
  const protocol = protocolOf(header.id);
  const reports = readReports(protocol, header.id, content.data);
  const occurred = extendedValue(content, 'H');
  const verification = extendedValue(content, 'V');
  return {
    account,
    protocol,
    path: `${header.receiver}|${header.line}`,
    sequence: header.sequence,
    contentHash: hash(
      header.id,
      content.data,
      ...content.extended.map((block) => `${block.letter}${block.value}`),
    ),
    stamp: content.stamp,
    stampMs: content.stampMs,
    occurredMs: occurred === undefined ? undefined : readTimestamp(occurred.replace(/^_/, '')),
    verification: verification === undefined ? undefined : readableText(verification, 300),
    encrypted: header.encrypted,
    // The test is for encrypted messages alone: a plain one with a wrong clock would only be wedged by it.
    timely: !header.encrypted || (content.stampMs !== undefined && isTimely(content.stampMs, nowMs)),
    reports: reports.map((report) =>
      report.dataAccount === account ? { ...report, dataAccount: undefined } : report,
    ),
  };
}

const protocolOf = (id: string): Protocol =>
  id === 'ADM-CID' || id === 'SIA-DCS' || id === 'NULL' ? id : 'OTHER';

function readReports(protocol: Protocol, id: string, data: string): Report[] {
  if (protocol === 'NULL') return [];
  if (protocol === 'ADM-CID') {
    const report = readContactId(data);
    return report ? [report] : [fallback(id, data)];
  }
  const reports = protocol === 'SIA-DCS' ? readSia(data).slice(0, eventsPerMessageMax) : [];
  return reports.length > 0 ? reports : [fallback(id, data)];
}

/** A report that could not be read is still a report: the guard sees its text. */
const fallback = (id: string, data: string): Report => ({
  type: 'panel.event',
  code: '?',
  codeName: `Report that could not be read (${id})`,
  qualifier: 'event',
  partition: undefined,
  zone: undefined,
  user: undefined,
  panelName: undefined,
  text: readableText(data, 500),
  dataAccount: undefined,
});

function unreadable(body: string): Message {
  return {
    account: unknownAccount,
    protocol: 'OTHER',
    path: '',
    sequence: '0000',
    contentHash: hash(body),
    stamp: undefined,
    stampMs: undefined,
    occurredMs: undefined,
    verification: undefined,
    encrypted: false,
    timely: true,
    reports: [fallback('no DC-09 header', body)],
  };
}

function hash(...parts: string[]): Buffer {
  const digest = createHash('sha256');
  // The length in front keeps ("ab","c") apart from ("a","bc").
  for (const part of parts) digest.update(`${part.length}:`).update(part, 'latin1');
  return digest.digest().subarray(0, 16);
}
