/** What a PSAP reads of an INVITE: body parts (RFC 2046) and the place in one of them (PIDF-LO), strictly. */
import { runCommand } from './run-command.ts';
import { type SipMessage, parseSip } from './sip-message.ts';

export type MessagePart = Pick<SipMessage, 'header' | 'body'>;

/** Parts of a multipart body (RFC 2046), strictly. @throws Error when it is none. */
export function partsOf(message: SipMessage): MessagePart[] {
  const type = message.header('content-type') ?? '';
  const boundary = /^multipart\/mixed;\s*boundary="?([^";]+)"?$/.exec(type)?.[1];
  if (boundary === undefined) throw new Error(`Not multipart: ${type}`);
  const pieces = `\r\n${message.body}`.split(`\r\n--${boundary}`);
  const last = pieces.pop();
  if (pieces.shift() !== '' || last?.trim() !== '--') throw new Error(`Torn: ${message.body}`);
  // A part has headers and a body as a message has, but for the first line.
  return pieces.map((piece) => parseSip(`part${piece}`));
}

/** What a PSAP reads in a PIDF-LO. */
export type Pidf = {
  entity: string;
  timestamp: string;
  /** Elements of RFC 5139. */
  civic: Partial<Record<'country' | 'A1' | 'A3' | 'RD' | 'HNO' | 'FLR' | 'ROOM' | 'NAM', string>>;
};

/** Read by a real XML parser (expat, with namespaces). */
const reader = `
import sys, json, base64, xml.etree.ElementTree as t
root = t.fromstring(base64.b64decode(sys.argv[1]))
p = '{urn:ietf:params:xml:ns:pidf}'
c = '{urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr}'
assert root.tag == p + 'presence', root.tag
civic = {e.tag[len(c):]: e.text or '' for e in root.iter() if e.tag.startswith(c) and len(e) == 0}
times = [e.text for e in root.iter() if e.tag.endswith('}timestamp')]
print(json.dumps({'entity': root.attrib['entity'], 'timestamp': times[0], 'civic': civic}))
`;
/** @throws Error when it is not well-formed, or not PIDF. */
export async function readPidf(xml: string): Promise<Pidf> {
  const text = Buffer.from(xml, 'latin1').toString('base64');
  return JSON.parse(await runCommand('python3', ['-c', reader, text])) as Pidf;
}
