import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@siphera/testkit';
import { describe, expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';

describe("the lab's options", () => {
  test('come from flags or from the environment', async () => {
    await using dir = await tempDir('lab');
    const [ca, password] = [join(dir.path, 'ca.crt'), join(dir.path, 'password')];
    writeFileSync(ca, 'CA');
    writeFileSync(password, 'secret words\n');
    const args = [
      '--box',
      'https://box.lan',
      '--ca',
      ca,
      '--once',
      'door.forced',
      '--rate',
      '5',
      '--start',
      '6:30',
    ];
    const options = readOptions(args, { LAB_EMAIL: 'a@b.c', LAB_PASSWORD_FILE: password });
    expect(options).toMatchObject({
      ca: 'CA',
      email: 'a@b.c',
      password: 'secret words',
      rate: 5,
      startMinute: 390,
      once: 'door.forced',
      panel: { host: 'box.lan', port: 12_000 },
      cameras: 4,
    });
  });

  test('name everything that is missing or wrong', () => {
    const args = [
      '--box',
      'http://box',
      '--ca',
      '/nowhere',
      '--rate',
      'fast',
      '--start',
      '25:00',
      '--once',
      'flood',
      '--cameras',
      '17',
    ];
    expect(() => readOptions(args, {})).toThrow(UsageError);
    for (const word of [
      '--box',
      '--ca',
      '--email',
      '--password-file',
      '--rate',
      '--start',
      '--once',
      '--cameras',
    ]) {
      expect(() => readOptions(args, {})).toThrow(word);
    }
  });

  test('--help needs nothing else', () => {
    expect(readOptions(['--help'], {})).toBe('help');
  });
});
