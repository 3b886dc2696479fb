// npm test: everything, from a fresh clone too, in the order in which a mistake shows soonest. Arguments narrow it to kinds
// of tests by name: `npm test -- unit e2e`. The last line says how many passed, failed and were skipped.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

/** Alone, and in this order. */
const FIRST = ['unit', 'service'];

/**
 * Then two rows beside each other, since there are two processors and most of these wait for one another: what is played with
 * a real Envoy and watches time, and what takes time. What publishes fixed ports of its own is far behind in its row.
 */
const ROWS = [
  ['e2e', 'guard-e2e', 'protocols', 'bench'],
  ['openapi', 'crash', 'guard', 'containers'],
];
const USUAL = [...FIRST, ...ROWS.flat()];

/** What takes minutes: only where it is named, as by `npm run test:long`. */
const LONG = ['long', 'long-protocols'];
const KINDS = [...USUAL, ...LONG];

/** These use fixed ports, or measure nothing well beside each other. */
const ONE_FILE_AT_A_TIME = new Set([
  'e2e',
  'guard-e2e',
  'protocols',
  'openapi',
  'bench',
  'crash',
  'containers',
  ...LONG,
]);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((kind) => !KINDS.includes(kind));
if (unknown.length > 0) {
  console.error(`no such kind of test: ${unknown.join(', ')}; there are ${KINDS.join(', ')}`);
  process.exit(2);
}

prepare();
const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const isWanted = (kind) => (wanted.length === 0 ? USUAL : wanted).includes(kind);
await inOrder(FIRST);
await Promise.all(ROWS.map(inOrder));
await inOrder(LONG);
rmSync(folder, { recursive: true, force: true });

for (const line of new Set(skips)) console.log(line);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function inOrder(kinds) {
  for (const kind of kinds.filter(isWanted)) add(kind, await run(kind));
}

/** What a kind says is printed when it has ended: two at once would be mixed up. */
async function run(kind) {
  const result = join(folder, `${kind}.json`);
  const args = ['run', '--project', kind, '--reporter', 'default', '--reporter', './test/setup/tally.ts'];
  if (ONE_FILE_AT_A_TIME.has(kind)) args.push('--no-file-parallelism');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORTCULLIS_TALLY: result },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part.toString()));
  const status = await new Promise((resolve) => child.once('close', resolve));
  console.log(`\n${kind} tests\n${said}`);
  try {
    return { status, ...JSON.parse(readFileSync(result, 'utf8')) };
  } catch {
    return { status: status || 1, passed: 0, failed: 0, skipped: 0, reasons: [] };
  }
}

/** What ends badly without a failed test (a file that does not load, an error outside of tests) is one failure. */
function add(kind, { status, passed, failed, skipped, reasons }) {
  total.passed += passed;
  total.failed += status !== 0 && failed === 0 ? 1 : failed;
  total.skipped += skipped;
  for (const reason of reasons) skips.push(`skipped (${kind}): ${reason}`);
}
