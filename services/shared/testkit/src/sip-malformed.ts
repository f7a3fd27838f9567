/** Messages that are not, or not quite, SIP: what fuzzers and the torture tests of RFC 4475 send. */
import type { SipPeer } from './sip-peer.ts';
import { phoneSdp } from './sip-message.ts';

/** @param round other places of the cuts. */
export function malformedMessages(build: SipPeer['build'], domain: string, round = 0): string[] {
  const uri = `sip:102@${domain}`;
  const invite = build('INVITE', { uri, contentType: 'application/sdp', body: phoneSdp('127.0.0.9', 9_000) });
  const register = build('REGISTER', { uri: `sip:${domain}` });
  const change = (from: RegExp, to: string) => invite.replace(from, to);
  const cuts = Array.from({ length: 12 }, (_, at) =>
    invite.slice(0, 7 + round + Math.floor((invite.length * at) / 12)),
  );
  const swapped = Array.from({ length: 12 }, (_, at) => {
    const place = (at * 37 + round * 11) % invite.length;
    return `${invite.slice(0, place)}\u0000\u00ff\r${invite.slice(place + 1)}`;
  });
  return [
    '',
    '\r\n\r\n',
    '\0'.repeat(400),
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'INVITE',
    'SIP/2.0 200 OK\r\n\r\n',
    `SIP/2.0 999 ${'x'.repeat(3_000)}\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n`,
    ...cuts,
    ...swapped,
    change(/Content-Length: \d+/, 'Content-Length: 99999999999999999999'),
    change(/Content-Length: \d+/, 'Content-Length: -1'),
    change(/Content-Length: \d+/, 'Content-Length: 1'),
    change(/CSeq: .*/, 'CSeq: 4294967296 INVITE'),
    change(/CSeq: .*/, 'CSeq: 1 REGISTER'),
    change(/CSeq: .*/, ''),
    change(/Via: .*/, 'Via: SIP/2.0/UDP'),
    change(/Via: .*/, `Via: ${'SIP/2.0/UDP h;branch=z9hG4bK1, '.repeat(60)}SIP/2.0/UDP h`),
    change(/branch=[^;\r]*/, 'branch='),
    change(/rport/, 'rport=999999'),
    change(/From: .*/, 'From: <sip:'),
    change(/From: .*/, `From: "${'\\'.repeat(500)} <sip:101@${domain}>;tag=1`),
    change(/To: .*/, 'To: ;;;===,,,'),
    change(/To: .*/, `To: <sip:102@${domain}>;tag=${'t'.repeat(2_000)}`),
    change(/Contact: .*/, 'Contact: *'),
    change(/Contact: .*/, `Contact: ${'<sip:a@b>,'.repeat(300)}<sip:a@b>`),
    change(/Max-Forwards: 70/, 'Max-Forwards: -5'),
    change(/Max-Forwards: 70/, 'Max-Forwards: 0'),
    change(/Max-Forwards: 70/, `Route: ${'<sip:127.0.0.1;lr>,'.repeat(70)}<sip:127.0.0.1;lr>`),
    change(/Max-Forwards: 70/, `Route: <sip:127.0.0.1;lr;sig=${'A'.repeat(32)};leg=i>\r\nMax-Forwards: 70`),
    change(/Max-Forwards: 70/, `Record-Route: <sip:x;sig=1>\r\nX-${'y'.repeat(3_000)}: z`),
    change(/Max-Forwards: 70/, 'Proxy-Authorization: Digest username="1:101", realm=, nonce="'),
    change(
      /Max-Forwards: 70/,
      `Proxy-Authorization: Digest username="${'9'.repeat(3_000)}:101", realm="${domain}"`,
    ),
    change(/Max-Forwards: 70/, 'Content-Encoding: gzip\r\nRequire: nothing\r\nProxy-Require: all'),
    change(/^INVITE \S+/, `INVITE sip:${'a'.repeat(2_000)}@${domain}`),
    change(/^INVITE \S+/, 'INVITE sip:%00%ff%@[::1'),
    change(/^INVITE \S+/, 'INVITE tel:+1;phone-context=%'),
    change(/^INVITE \S+/, `INVITE sip:102@${domain};transport=ws;maddr=127.0.0.1;alias=127.0.0.1~22~2`),
    change(/^INVITE \S+/, 'INVITE sips:102:pass@word@host:port?a=b&c'),
    change(/^INVITE/, 'invite'),
    change(/SIP\/2\.0/, 'SIP/7.0'),
    invite.replaceAll('\r\n', '\n'),
    invite.replaceAll(': ', ':\r\n '),
    register.replace(/Contact: .*/, `Contact: <sip:a@b;x=${'y'.repeat(1_500)}>;expires=99999999999`),
    register.replace(/To: .*/, 'To: <sip:>'),
    `${register.slice(0, -4)}\r\nExpires: 18446744073709551616\r\n\r\n`,
    'A'.repeat(60_000),
  ];
}
