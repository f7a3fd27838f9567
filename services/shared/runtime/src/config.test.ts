import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, ListenAddress, parseConfig } from './config.ts';

const schema = z.object({
  LISTEN: ListenAddress.default('127.0.0.1:7000'),
  DB_KEY: z.string().min(8),
  CA_FILE: z.string().min(1).optional(),
  READERS: z.coerce.number().int().min(1).max(8).default(1),
});

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'siphera-config-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the environment', () => {
  it('takes a secret from its file, without the newline at its end', () => {
    const file = join(dir, 'key');
    writeFileSync(file, 'from-the-file\n');
    expect(parseConfig(schema, { DB_KEY_FILE: file })).toEqual({
      LISTEN: '127.0.0.1:7000',
      DB_KEY: 'from-the-file',
      READERS: 1,
    });
  });

  it('prefers the variable itself to its file, and takes an empty one for absent', () => {
    const file = join(dir, 'other');
    writeFileSync(file, 'from-the-file');
    expect(parseConfig(schema, { DB_KEY: 'said directly', DB_KEY_FILE: file }).DB_KEY).toBe('said directly');
    expect(parseConfig(schema, { DB_KEY: '', DB_KEY_FILE: file }).DB_KEY).toBe('from-the-file');
  });

  it('takes a variable whose own name ends in _FILE as the path it is', () => {
    expect(parseConfig(schema, { DB_KEY: 'long enough', CA_FILE: '/no/such/file' }).CA_FILE).toBe(
      '/no/such/file',
    );
  });

  it('names every bad variable at once', () => {
    const problems = problemsOf({ LISTEN: 'nowhere', DB_KEY: 'short', READERS: '99' });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['LISTEN', 'DB_KEY', 'READERS']);
  });

  it('names the file that cannot be read, beside the other bad variables', () => {
    const problems = problemsOf({ DB_KEY_FILE: join(dir, 'missing'), READERS: 'many' });
    expect(problems[0]).toMatch(/^DB_KEY_FILE: cannot read .*missing \(ENOENT\)$/);
    expect(problems.some((problem) => problem.startsWith('READERS:'))).toBe(true);
  });

  it('never repeats a bad value, which may be a secret', () => {
    expect(problemsOf({ DB_KEY: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it.each(['127.0.0.1:7080', '[::1]:7080', 'unix:/run/siphera/core.sock'])('listens on %s', (address) => {
    expect(ListenAddress.safeParse(address).success).toBe(true);
  });

  it.each(['7080', 'unix:', 'localhost', 'host:port'])('does not listen on %s', (address) => {
    expect(ListenAddress.safeParse(address).success).toBe(false);
  });
});
