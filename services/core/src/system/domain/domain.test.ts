import { describe, expect, it } from 'vitest';
import { appleProfile } from './apple-profile.ts';
import { certificateCheck, clockCheck, diskCheck, worstOf } from './health.ts';
import { parseOutboundRange } from './outbound-ranges.ts';

describe('ranges that webhooks may call', () => {
  it('are LAN ranges, kept in canonical form', () => {
    expect(parseOutboundRange(' 192.168.10.7/24 ')).toEqual({ range: '192.168.10.0/24' });
    expect(parseOutboundRange('10.0.0.0/8')).toEqual({ range: '10.0.0.0/8' });
    expect(parseOutboundRange('fd12:3456::1/48')).toEqual({ range: 'fd12:3456::/48' });
    expect(parseOutboundRange('172.16.5.9/32')).toEqual({ range: '172.16.5.9/32' });
  });

  it('are never loopback, link-local, everything, or wider than what is private', () => {
    const refused = [
      '127.0.0.0/8',
      '127.0.0.1/32',
      '169.254.169.254/32',
      '0.0.0.0/0',
      '::/0',
      '::1/128',
      'fe80::/10',
      '224.0.0.0/4',
      '10.0.0.0/7',
      '172.0.0.0/8',
      '8.8.8.8/32',
      '::ffff:127.0.0.1/128',
      '192.168.1.1',
      '192.168.1.0/33',
      'localhost',
      '',
    ];
    for (const text of refused)
      expect([text, parseOutboundRange(text)]).toEqual([text, { problem: expect.any(String) }]);
  });
});

describe('health', () => {
  const gigabyte = 1024 ** 3;

  it('warns of a disk that fills and says when it is full', () => {
    expect(diskCheck({ free_bytes: 50 * gigabyte, total_bytes: 100 * gigabyte }).state).toBe('ok');
    expect(diskCheck({ free_bytes: 3 * gigabyte, total_bytes: 100 * gigabyte }).state).toBe('degraded');
    expect(diskCheck({ free_bytes: gigabyte, total_bytes: 10 * gigabyte }).state).toBe('degraded');
    expect(diskCheck({ free_bytes: gigabyte / 8, total_bytes: 10 * gigabyte }).state).toBe('down');
  });

  it('notices a clock that lost its battery or was set back', () => {
    const nowMs = Date.UTC(2026, 10, 22);
    expect(clockCheck(nowMs, nowMs - 1_000).state).toBe('ok');
    expect(clockCheck(nowMs, nowMs + 2_000).state).toBe('ok');
    expect(clockCheck(nowMs, nowMs + 60_000).state).toBe('degraded');
    expect(clockCheck(0, 0).state).toBe('down');
  });

  it('warns of a certificate before browsers do', () => {
    const day = 86_400_000;
    expect(certificateCheck({ subject: 'x', expiresMs: 60 * day }, 0).state).toBe('ok');
    expect(certificateCheck({ subject: 'x', expiresMs: 10 * day }, 0).state).toBe('degraded');
    expect(certificateCheck({ subject: 'x', expiresMs: 0 }, day).state).toBe('down');
    expect(certificateCheck(undefined, 0).state).toBe('degraded');
  });

  it('is as bad as its worst part', () => {
    expect(worstOf(['ok', 'degraded', 'ok'])).toBe('degraded');
    expect(worstOf(['ok', 'down', 'degraded'])).toBe('down');
    expect(worstOf([])).toBe('ok');
  });
});

describe('the Apple profile', () => {
  const ca = { der: Buffer.alloc(100, 7), fingerprint256: 'A1:'.repeat(31) + 'A1', hostName: 'box<1>.local' };

  it('carries the certificate and no markup of the host name', () => {
    const profile = appleProfile(ca);
    const data = /<data>([^<]*)<\/data>/.exec(profile)?.[1] ?? '';
    expect(Buffer.from(data.replaceAll(/\s/g, ''), 'base64').equals(ca.der)).toBe(true);
    expect(profile).not.toContain('box<1>');
    expect(profile).toContain('box&lt;1&gt;.local');
    expect(appleProfile(ca)).toBe(profile);
  });
});
