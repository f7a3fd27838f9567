import { describe, expect, it } from 'vitest';
import { readSettings, writeSettings, type Settings } from './settings.shared.ts';

const settings: Settings = {
  version: 1,
  origin: 'https://box.example',
  trust: {
    kind: 'pinned',
    ca_pem: '-----BEGIN CERTIFICATE-----',
    fingerprint: Array(32).fill('AB').join(':'),
  },
  autostart: true,
};

describe('settings', () => {
  it('come back as they were written', () => {
    expect(readSettings(writeSettings(settings))).toEqual({ kind: 'ok', settings });
  });

  it('are none before the first set-up', () => {
    expect(readSettings(undefined)).toEqual({ kind: 'none' });
  });

  it.each([
    ['not JSON', '{'],
    ['an http origin', JSON.stringify({ ...settings, origin: 'http://box.example' })],
    ['no trust', JSON.stringify({ ...settings, trust: undefined })],
    ['a short fingerprint', JSON.stringify({ ...settings, trust: { ...settings.trust, fingerprint: 'AB' } })],
    ['a later version', JSON.stringify({ ...settings, version: 2 })],
  ])('are damaged with %s, and never taken for none', (_name, text) => {
    expect(readSettings(text)).toEqual({ kind: 'damaged' });
  });
});
