import { describe, expect, test } from 'vitest';
import { envoysForTests } from '../e2e/envoy.js';
import { lastLine, missingHere, runBenchmark } from './program.js';

const GRANTS = ['--grants', '1000'];

const noCores = missingHere('taskset');
const noLoad = missingHere('taskset', 'h2load');

describe.skipIf(noCores !== '')(`benchmarks${noCores && ` (${noCores})`}`, () => {
  test('bench:revoke counts no violations', async () => {
    const ended = await runBenchmark('revoke', ...GRANTS, '--rounds', '100', '--calls', '10', '--rate', '200');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toContain('100 races');
    expect(lastLine(ended)).toMatch(/^violations: 0 of 100; p99 of a revoke at 200 checks\/s: \d+\.\d ms$/);
  });

  test('bench:revoke counts violations where a revoke is believed before it is acknowledged', async () => {
    const ended = await runBenchmark(
      'revoke',
      ...GRANTS,
      '--rounds',
      '50',
      '--calls',
      '5',
      '--rate',
      '200',
      '--too-early',
    );
    expect(ended.code, ended.err).toBe(1);
    expect(lastLine(ended)).toMatch(/^violations: [1-9]\d* of 50; /);
  });

  test('bench:start tells time and memory', async () => {
    const small = ['--runs', '1', '--checks', '200', '--seconds', '0.5', '--users', '20', '--warm'];
    const ended = await runBenchmark('start', ...GRANTS, ...small);
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toMatch(/^imports of the command line +\d+/m);
    expect(ended.out).toMatch(/^after 200 checks +\d+ +\d+$/m);
    expect(lastLine(ended)).toMatch(/^first answer: \d+ ms; anonymous memory: \d+ MiB$/);
  });
});

describe.skipIf(noLoad !== '')(`benchmarks with h2load${noLoad && ` (${noLoad})`}`, () => {
  test('bench:check tells what a check costs beside a no-op server', async () => {
    const ended = await runBenchmark('check', ...GRANTS, '--rounds', '1', '--seconds', '0.5', '--users', '20');
    expect(ended.code, ended.err).toBe(0);
    for (const name of ['one warm certificate', '20 certificates', 'denied: no grant', 'warm, strict log'])
      expect(ended.out).toMatch(new RegExp(`^${name} +service +\\d+ +\\d+ `, 'm'));
    expect(lastLine(ended)).toMatch(/^ratio: \d+\.\d\d$/);
  });
});

const { missing } = noCores === '' ? await envoysForTests() : { missing: noCores };

describe.skipIf(missing !== '')(`benchmarks with a real Envoy${missing && ` (${missing})`}`, () => {
  test('bench:e2e tells what a check adds to a request', async () => {
    const ended = await runBenchmark('e2e', ...GRANTS, '--rounds', '1', '--seconds', '0.5', '--rate', '100');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toMatch(/^HTTP\/2 +no filter +\d+ /m);
    expect(lastLine(ended)).toMatch(/^added p50: -?\d+\.\d\d ms$/);
  });

  test('bench:cuts holds what it measures against what it must be', async () => {
    const ended = await runBenchmark('cuts', '--only', 'neighbours', '--rounds', '3');
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toMatch(/^HTTP\/2: neighbours ended, of 9 .* max <= 0 streams +yes$/m);
    expect(lastLine(ended)).toBe('met: 2 of 2');
  });
});

test('bench:cuts says how it is used', async () => {
  const { code, out } = await runBenchmark('cuts', '--help');
  expect([code, out]).toEqual([0, expect.stringContaining('--only NAMES')]);
});

test.for(['check', 'e2e', 'start', 'revoke'])('bench:%s says how it is used', async (name) => {
  const { code, out } = await runBenchmark(name, '--help');
  expect([code, out]).toEqual([0, expect.stringContaining('--grants N')]);
});
