// Browser tests: the real binary, Debian's chromium. One file a topic, each with a gateway of its own.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/browser/*.spec.ts'],
    environment: 'node',
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    globalSetup: 'tests/browser/built.ts',
  },
});
