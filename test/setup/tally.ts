import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Counts tests for the last line of `npm test`, and collects what was skipped and why. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env['PORTCULLIS_TALLY'];
    if (file === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    // The reason stands in brackets in the name of the test or of what it lies in.
    const reasons = new Set(skipped.map((test) => /\(([^()]*)\)/.exec(test.fullName)?.[1] ?? test.fullName));
    // A file that cannot be loaded has no tests that could fail.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const tally = {
      passed: count('passed'),
      failed: count('failed') + broken,
      skipped: count('skipped'),
      reasons: [...reasons],
    };
    writeFileSync(file, JSON.stringify(tally));
  }
}
