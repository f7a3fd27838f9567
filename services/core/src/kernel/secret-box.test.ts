import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@siphera/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { openSecretBox } from './secret-box.ts';

const dirs: string[] = [];
const dir = () => {
  const made = mkdtempSync(join(tmpdir(), 'secret-box-'));
  dirs.push(made);
  return made;
};
afterEach(() => dirs.splice(0).forEach((made) => rmSync(made, { recursive: true })));

describe('SecretBox', () => {
  it('opens what it sealed, also after a restart, and nothing that was altered', () => {
    const place = dir();
    const sealed = openSecretBox(place, systemRandom).seal('geheim');
    expect(sealed).not.toContain('geheim');
    expect(openSecretBox(place, systemRandom).open(sealed)).toBe('geheim');
    const bytes = Buffer.from(sealed, 'base64');
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    expect(() => openSecretBox(place, systemRandom).open(bytes.toString('base64'))).toThrow();
  });

  it('keeps its key to itself and refuses to start with one that others can read', () => {
    const place = dir();
    openSecretBox(place, systemRandom);
    const key = join(place, 'keys', 'box.key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    chmodSync(key, 0o644);
    expect(() => openSecretBox(place, systemRandom)).toThrow('can be read by others');
  });
});
