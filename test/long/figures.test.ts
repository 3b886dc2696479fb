import { describe, expect, test } from 'vitest';
import { lastLine, missingHere, runBenchmark } from '../bench/program.js';
import { missing } from './stage.js';

const why = missing || missingHere('taskset', 'h2load');

/** Parts of bench:cuts, and how much of each is enough to see that nothing has gone wrong. docs/benchmarks.md has the rest. */
const PARTS: readonly (readonly [string, ...string[]])[] = [
  ['one', '--rounds', '301'],
  ['many', '--sessions', '10000', '--among', '100'],
  ['expiry', '--waves', '2'],
  ['contact'],
  ['stalled', '--rounds', '100'],
  ['crowd'],
  ['neighbours', '--rounds', '50'],
  ['request', '--turns', '3', '--seconds', '2'],
  ['bytes', '--turns', '3', '--seconds', '2'],
];

describe.skipIf(why !== '')(`the figures of the guard${why && ` (${why})`}`, () => {
  // What is a length of time is told and not held: the machine may have something else to do. All else must be met.
  test.for(PARTS)('%s', { retry: 1 }, async ([part, ...more]) => {
    const ended = await runBenchmark('cuts', '--only', part, ...more);
    console.log(ended.out);
    expect(lastLine(ended), ended.err.slice(-2_000)).toMatch(/^met: \d+ of \d+$/);
    const missed = ended.out.split('\n').filter((row) => row.trimEnd().endsWith(' no'));
    expect(missed.filter((row) => !/ (?:ms|us) +no$/.test(row.trimEnd()))).toEqual([]);
  });
});
