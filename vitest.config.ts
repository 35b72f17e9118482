/** How the tests run: each file in a process of its own, with the network closed but for this machine. */
import { defineConfig } from 'vitest/config';
import { SkippedTestsReporter } from './test/support/skipped-tests-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['./test/support/closed-network.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', new SkippedTestsReporter()],
    coverage: {
      provider: 'v8',
      include: ['shared/**/*.ts', 'functions/**/*.ts'],
      reporter: ['text-summary'],
      reportOnFailure: true,
    },
  },
});
