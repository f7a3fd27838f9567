import { defineConfig } from 'vitest/config';

// Two workers: the smallest supported machine has two cores, and integration tests start daemons of their own.
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'e2e/**'],
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
