/** Both ways in, by the examples of their standards and by what must be refused. */
import { describe, expect, it } from 'vitest';
import { DigestCheck, digestResponse, parseDigest } from './http-digest.ts';
import { passwordDigest, TokenCheck } from './wsse.ts';
import { parseXml } from './xml.ts';

const credentials = { username: 'admin', password: 'secret' };
const nowMs = Date.UTC(2026, 2, 2, 8);

type Token = { username?: string; password?: string; createdMs?: number; nonce?: string; type?: string };

function envelope(token: Token = {}) {
  const { username = 'admin', password = 'secret', createdMs = nowMs, nonce = 'first' } = token;
  const created = new Date(createdMs).toISOString();
  const digest = passwordDigest(Buffer.from(nonce), created, password);
  return parseXml(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><w:Security xmlns:w="urn:w"><w:UsernameToken>
    <w:Username>${username}</w:Username><w:Password Type="urn:x#${token.type ?? 'PasswordDigest'}">${digest}</w:Password>
    <w:Nonce>${Buffer.from(nonce).toString('base64')}</w:Nonce><u:Created xmlns:u="urn:u">${created}</u:Created>
  </w:UsernameToken></w:Security></s:Header><s:Body/></s:Envelope>`);
}

describe('a UsernameToken', () => {
  it('has the digest of the ONVIF Application Programmer’s Guide', () => {
    const nonce = Buffer.from('LKqI6G/AikKCQrN0zqZFlg==', 'base64');
    expect(passwordDigest(nonce, '2010-09-16T07:50:45Z', 'userpassword')).toBe(
      'tuOSpGlFlIXsozq4HFNeeGeFLEI=',
    );
  });

  it.each([
    ['good', {}],
    ['wrong', { username: 'other' }],
    ['wrong', { password: 'Secret' }],
    ['wrong', { type: 'PasswordText' }],
    ['stale', { createdMs: nowMs - 10_001 }],
    ['stale', { createdMs: nowMs + 10_001 }],
  ] as const)('is %s: %o', (verdict, token) => {
    expect(new TokenCheck(credentials, 10_000).verdict(envelope(token), nowMs)).toBe(verdict);
  });

  it('is good once', () => {
    const check = new TokenCheck(credentials, 10_000);
    expect(check.verdict(envelope(), nowMs)).toBe('good');
    expect(check.verdict(envelope(), nowMs)).toBe('replayed');
    expect(check.verdict(envelope({ nonce: 'second' }), nowMs)).toBe('good');
    expect(check.verdict(parseXml('<a/>'), nowMs)).toBe('absent');
  });
});

describe('HTTP digest', () => {
  it('has the response of the example in RFC 7616 §3.9.1', () => {
    const fields = {
      username: 'Mufasa',
      realm: 'http-auth@example.org',
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      nc: '00000001',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      qop: 'auth',
    };
    const request = { method: 'GET', uri: '/dir/index.html' };
    expect(digestResponse(fields, request, 'Circle of Life')).toBe('8ca523f5e9506fed4657c9700eebdbec');
  });

  const request = { method: 'POST', url: '/onvif/device_service' };
  const header = (challenge: string, count: string, password = 'secret') => {
    const { realm = '', nonce = '' } = parseDigest(challenge) ?? {};
    const fields = { username: 'admin', realm, nonce, nc: count, cnonce: 'c', qop: 'auth' };
    const response = digestResponse(fields, { method: request.method, uri: request.url }, password);
    return `Digest username="admin", realm="${realm}", nonce="${nonce}", uri="${request.url}", qop=auth, nc=${count}, cnonce="c", response="${response}"`;
  };

  it('takes the right answer, with a count that grows', () => {
    const check = new DigestCheck(credentials, 'Camera');
    const challenge = check.challenge();
    expect(check.good(header(challenge, '00000001'), request)).toBe(true);
    expect(check.good(header(challenge, '00000001'), request)).toBe(false);
    expect(check.good(header(challenge, '0000000a'), request)).toBe(true);
  });

  it('refuses a wrong password, a nonce of somebody else, another address, another scheme', () => {
    const check = new DigestCheck(credentials, 'Camera');
    const foreign = new DigestCheck(credentials, 'Camera').challenge();
    expect(check.good(header(check.challenge(), '00000001', 'Secret'), request)).toBe(false);
    expect(check.good(header(foreign, '00000001'), request)).toBe(false);
    expect(check.good(header(check.challenge(), '00000001'), { ...request, url: '/other' })).toBe(false);
    expect(check.good('Basic YWRtaW46c2VjcmV0', request)).toBe(false);
    expect(check.good(undefined, request)).toBe(false);
  });
});
