import { describe, expect, test } from 'vitest';
import { parseConfig, segmentBytesFor, socketPath } from './config.ts';

const messageOf = (input: unknown): string => {
  try {
    parseConfig(input, '/etc/agent');
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the config file', () => {
  test('needs no more than a data directory, relative to the file', () => {
    const config = parseConfig({ data_dir: '../data' }, '/etc/agent');
    expect(config).toMatchObject({
      data_dir: '/etc/data',
      heartbeat_seconds: 15,
      driver: { kind: 'socket' },
    });
    expect(socketPath(config)).toBe('/etc/data/driver.sock');
  });

  test('names every bad key at once', () => {
    const message = messageOf({
      heartbeat_seconds: 0,
      mqtt_url: 'mqtt://box',
      queue: { bytes_max: 10, byte_max: 1 },
      driver: { kind: 'can-bus' },
      logg_level: 'info',
    });
    for (const key of [
      'data_dir',
      'heartbeat_seconds',
      'mqtt_url',
      'queue.bytes_max',
      'queue.byte_max',
      'driver.kind',
      'logg_level',
    ]) {
      expect(message).toContain(`${key}:`);
    }
  });

  test('refuses what is no object', () => {
    expect(messageOf('x')).toContain('(file):');
  });

  test('a queue is cut into segments that the overflow policy can drop one by one', () => {
    expect(segmentBytesFor(256 * 1_024)).toBe(16 * 1_024);
    expect(segmentBytesFor(1_024 ** 3)).toBe(1_024 ** 2);
  });
});
