/**
 * Four kinds of test. `unit` is pure, `int` starts real daemons on free loopback ports, `web` mounts components in jsdom,
 * `e2e` drives the whole box with Chromium, one file at a time.
 */
import { defineConfig } from 'vitest/config';

/** Waits for what comes at once when it comes; vitest's own second is too short for two busy cores. */
const poll = { timeout: 30_000 };
const never = ['**/node_modules/**', '**/dist/**', '.dev/**', '.cache/**'];

export default defineConfig({
  test: {
    // The smallest supported machine has two cores, and integration tests start daemons of their own.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...never, '**/*.int.test.ts', 'web/**', 'e2e/**'],
          testTimeout: 40_000,
          hookTimeout: 60_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'int',
          include: ['**/*.int.test.ts'],
          exclude: [...never, 'web/**', 'e2e/**'],
          // Only against what never ends: each wait inside has a bound and a name of its own, and machines are slow.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        extends: './web/vite.config.ts',
        test: {
          name: 'web',
          root: './web',
          include: ['src/**/*.test.ts'],
          environment: 'jsdom',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: never,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          expect: { poll },
        },
      },
    ],
  },
});
