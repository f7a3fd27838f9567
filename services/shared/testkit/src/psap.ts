/**
 * A PSAP, or any far end of a trunk: sipp as UAS, that does as it is told and keeps what came. What must stay true: it is a
 * program of its own that knows nothing of us; what it got is read from its own log, byte by byte.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { runCommand } from './run-command.ts';
import { parseSip, type SipMessage } from './sip-message.ts';
import { waitFor } from './wait.ts';

export type PsapBehaviour = {
  /** Answers with this instead of taking the call. */
  code?: number;
  /** Provisional answers before that. 183 comes with SDP. */
  provisional?: readonly (100 | 180 | 183)[];
  /** Waits so long before the final answer. */
  waitMs?: number;
  /** Rings, and never answers. */
  neverAnswers?: boolean;
  /** Hangs up so long after it has answered; otherwise it waits for the caller to do so. */
  hangUpAfterMs?: number;
  /** Sends a re-INVITE with SDP after the answer, before all else. */
  reinvites?: boolean;
  /** Asks for a password once. */
  challenges?: boolean;
};

export type Psap = AsyncDisposable & {
  address: string;
  port: number;
  /** As `dispatcher.list` wants it. */
  uri: string;
  daemon: Daemon;
  /** All messages that came, in order. */
  received: () => Promise<SipMessage[]>;
  /** The INVITEs among them without those that were sent twice. */
  invites: () => Promise<SipMessage[]>;
  /** Waits for the INVITE that comes as number `count`. */
  invite: (count?: number) => Promise<SipMessage>;
  stop: () => Promise<void>;
};

export type PsapOptions = {
  dir: string;
  name?: string;
  /** Of loopback, its own: trunks are known by their address. */
  address?: string;
  port?: number;
  transport?: 'udp' | 'tcp';
  behaviour?: PsapBehaviour;
  /** In front of the command, e.g. of a network namespace. */
  prefix?: readonly string[];
};

const msMax = 30_000;

export async function startPsap(options: PsapOptions): Promise<Psap> {
  const { address = '127.0.0.2', transport = 'udp', behaviour = {}, name = 'psap', prefix = [] } = options;
  const port = options.port ?? (await freePort());
  const dir = join(options.dir, `${name}-${port}`);
  await mkdir(dir, { recursive: true });
  const [scenario, log] = [join(dir, 'scenario.xml'), join(dir, 'messages.log')];
  await writeFile(scenario, psapScenario(behaviour));
  const words = [
    ...prefix,
    'sipp',
    '-sf',
    scenario,
    '-i',
    address,
    '-p',
    String(port),
    '-mp',
    String(await freePort()),
  ];
  words.push(
    '-t',
    transport === 'udp' ? 'u1' : 't1',
    '-nostdin',
    '-rtp_echo',
    '-deadcall_wait',
    '0',
    '-aa',
    '-trace_msg',
    '-message_file',
    log,
  );
  const [command = '', ...args] = words;
  const daemon = await startDaemon({
    name,
    command,
    args,
    cwd: dir,
    ready: () => listens(prefix, transport, port),
  });
  const received = async () => parseLog(await readFile(log, 'latin1').catch(() => ''));
  const invites = async () => {
    const seen = new Set<string>();
    return (await received()).filter((message) => {
      const key = message.header('via') ?? '';
      return message.method === 'INVITE' && !seen.has(key) && seen.add(key);
    });
  };
  const stop = () => daemon.stop();
  return {
    address,
    port,
    uri: `sip:${address}:${port}${transport === 'udp' ? '' : ';transport=tcp'}`,
    daemon,
    received,
    invites,
    invite: (count = 1) =>
      waitFor(`INVITE ${count} at ${name}`, async () => (await invites())[count - 1], msMax),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The kernel says who listens. */
async function listens(prefix: readonly string[], transport: 'udp' | 'tcp', port: number): Promise<boolean> {
  const path = `/proc/net/${transport}`;
  const [command, ...args] = [...prefix, 'cat', path];
  const table = prefix.length === 0 ? await readFile(path, 'utf8') : await runCommand(command ?? '', args);
  return table.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
}

/** What came in, out of sipp's log of messages. */
function parseLog(log: string): SipMessage[] {
  const head = /^(?:UDP|TCP|TLS) message received \[(\d+)\] bytes? ?:\r?\n\r?\n/gm;
  const messages: SipMessage[] = [];
  for (const match of log.matchAll(head)) {
    const start = match.index + match[0].length;
    const raw = log.slice(start, start + Number(match[1]));
    if (raw.includes('\r\n\r\n')) messages.push(parseSip(raw));
  }
  return messages;
}

const sdp = `v=0
      o=psap 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:101 telephone-event/8000
      a=sendrecv
`;
const common = `[last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      [last_Record-Route:]
      Contact: <sip:psap@[local_ip]:[local_port];transport=[transport]>
`;
const answer = (line: string, withSdp: boolean, more = ''): string => `  <send><![CDATA[
      SIP/2.0 ${line}
      ${common}${more}${withSdp ? '      Content-Type: application/sdp\n' : ''}      Content-Length: [len]

${withSdp ? `      ${sdp}` : ''}
  ]]></send>
`;

/** The scenario for sipp. */
export function psapScenario(behaviour: PsapBehaviour): string {
  const { code, provisional = [180], waitMs, neverAnswers, hangUpAfterMs, reinvites, challenges } = behaviour;
  const steps: string[] = [];
  if (challenges) {
    steps.push(recv('INVITE'));
    steps.push(
      answer(
        '407 Proxy Authentication Required',
        false,
        '      Proxy-Authenticate: Digest realm="trunk.test", nonce="abcdef0123456789", algorithm=MD5\n',
      ),
    );
    steps.push(recv('ACK'));
  }
  steps.push(`  <recv request="INVITE" crlf="true" rrs="true"><action>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
  </action></recv>\n  <nop><action><log message="[$from] [$to]"/></action></nop>\n`);
  const words = { 100: '100 Trying', 180: '180 Ringing', 183: '183 Session Progress' };
  for (const step of provisional) steps.push(answer(words[step], step === 183));
  if (waitMs !== undefined) steps.push(`  <pause milliseconds="${waitMs}"/>\n`);
  if (code !== undefined) steps.push(answer(`${code} No`, false), recv('ACK'));
  else if (neverAnswers) steps.push(recv('CANCEL'), answer('200 OK', false), requestTerminated, recv('ACK'));
  else steps.push(answer('200 OK', true), recv('ACK'), ...afterAnswer(hangUpAfterMs, reinvites));
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="psap">\n${steps.join('')}</scenario>\n`;
}

const recv = (what: string, more = ''): string => `  <recv request="${what}" crlf="true"${more}/>\n`;
/** 487 to the INVITE; sipp's [last_…] is of the CANCEL, so the number of CSeq is kept and its word changed. */
const requestTerminated = `  <send><![CDATA[
      SIP/2.0 487 Request Terminated
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      CSeq: 1 INVITE
      Content-Length: 0

  ]]></send>
`;
const request = (
  method: string,
  sequence: number,
  withSdp: boolean,
): string => `  <send retrans="500"><![CDATA[
      ${method} [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$to];tag=[pid]-[call_number]
      To:[$from]
      [routes]
      Call-ID: [call_id]
      CSeq: ${sequence} ${method}
      Max-Forwards: 70
      Contact: <sip:psap@[local_ip]:[local_port];transport=[transport]>
${withSdp ? '      Content-Type: application/sdp\n' : ''}      Content-Length: [len]

${withSdp ? `      ${sdp}` : ''}
  ]]></send>
`;
function afterAnswer(hangUpAfterMs: number | undefined, reinvites = false): string[] {
  const again = reinvites
    ? [
        request('INVITE', 101, true),
        '  <recv response="100" optional="true"/>\n',
        '  <recv response="200" rrs="true"/>\n',
        request('ACK', 101, false).replace(' retrans="500"', ''),
      ]
    : [];
  if (hangUpAfterMs === undefined) return [...again, recv('BYE'), answer('200 OK', false)];
  return [
    ...again,
    `  <pause milliseconds="${hangUpAfterMs}"/>\n`,
    request('BYE', 102, false),
    '  <recv response="200"/>\n',
  ];
}
