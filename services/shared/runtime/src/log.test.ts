import { describe, expect, it } from 'vitest';
import { AppError } from './app-error.ts';
import { createLogger } from './log.ts';

function logged(event: string, fields: Record<string, unknown>): Record<string, unknown> {
  const lines: string[] = [];
  const log = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
  log.info(event, fields);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '{}') as Record<string, unknown>;
}

describe('a log line', () => {
  it('is one line of JSON with one event name, its level as a word and its time in UTC', () => {
    expect(logged('incident_opened', { number: 7, text: 'two\nlines' })).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      service: 'test',
      event: 'incident_opened',
      number: 7,
      text: 'two\nlines',
    });
  });

  it.each([
    'token',
    'access_token',
    'refresh_token',
    'password',
    'secret',
    'pin',
    'credential',
    'badge',
    'badge_id',
    'key_hex',
    'authorization',
    'cookie',
    'api_key',
  ])('never holds a %s, at the top or two levels down', (name) => {
    const line = logged('x', { [name]: 'S3CRET', a: { [name]: 'S3CRET', b: { [name]: 'S3CRET' } } });
    expect(JSON.stringify(line)).not.toContain('S3CRET');
    expect(line[name]).toBe('[redacted]');
  });

  it('never holds a one-time code, and leaves the code of an error, which people need', () => {
    const error = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const line = JSON.stringify(logged('x', { code: 'S3CRET', error }));
    expect(line).not.toContain('S3CRET');
    expect(line).toContain('ECONNREFUSED');
  });

  it('redacts what an error carries with it, and what its child logger was given', () => {
    const error = new AppError('forbidden', 'No.', { extra: { token: 'S3CRET' } });
    expect(JSON.stringify(logged('x', { error }))).not.toContain('S3CRET');
    const lines: string[] = [];
    const log = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
    log.child({ password: 'S3CRET', device_id: 'd' }).warn('x');
    expect(lines.join()).not.toContain('S3CRET');
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ device_id: 'd', level: 'warn' });
  });

  it('stays below its level', () => {
    const lines: string[] = [];
    const log = createLogger({
      service: 'test',
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    });
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['c', 'd']);
  });
});
