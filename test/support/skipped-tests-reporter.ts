/** Names every test that did not run and why; with PLIMSOLL_CI set a skipped test fails the run. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** vitest makes one per run; counts go to $PLIMSOLL_TEST_COUNTS as JSON where that is set. */
export class SkippedTestsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped: string[] = [];
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        counts[state === 'pending' ? 'failed' : state] += 1;
        if (state === 'skipped') {
          skipped.push(describeSkipped(module, test));
        }
      }
      // A file that throws while it loads has no tests to count, and may not pass for an empty one.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) {
        counts.failed += 1;
      }
    }
    const countsFile = process.env['PLIMSOLL_TEST_COUNTS'];
    if (countsFile !== undefined) {
      writeFileSync(countsFile, `${JSON.stringify(counts)}\n`);
    }
    if (skipped.length > 0) {
      process.stdout.write(`\nSkipped:\n${skipped.join('\n')}\n`);
      if (process.env['PLIMSOLL_CI'] !== undefined) {
        process.stdout.write(`PLIMSOLL_CI is set: ${skipped.length} skipped tests fail the run\n`);
        process.exitCode = 1;
      }
    }
  }
}

function describeSkipped(module: TestModule, test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' && result.note !== undefined ? `: ${result.note}` : '';
  return `  ${module.relativeModuleId} > ${test.fullName}${note}`;
}
