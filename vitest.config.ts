/** How the tests run: each file in a process of its own, with the network closed but for this machine. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SkippedTestsReporter } from './test/support/skipped-tests-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['./test/support/closed-network.ts'],
    pool: 'forks',
    // Two also on two cores, where the default is one: many tests wait for processes that they start.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
