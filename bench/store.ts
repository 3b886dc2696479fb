import { parseArgs } from 'node:util';
import { createHash, randomBytes } from 'node:crypto';
import type { DecisionRecord } from '../src/domain/decision-record.js';
import { base32 } from '../src/domain/ids.js';
import { minutes, type Instant } from '../src/domain/time.js';
import { openLmdbStore } from '../src/store/lmdb.js';
import { readMacKey } from '../src/store/mac-key.js';
import type { Store } from '../src/store/store.js';
import { FILL_START } from './fill.js';
import { resourceOf, subjectOf } from './scene/names.js';

/** What one check reads, of subjects that have been seen before. */
function readsPerCheck(store: Store, grants: number, subjects: number): void {
  const step = Math.max(1, Math.floor(grants / subjects));
  const asked = Array.from({ length: Math.min(subjects, grants) }, (_, i) => ({
    subject: subjectOf(i * step),
    resource: resourceOf(i * step),
  }));
  const now = (FILL_START + minutes(30)) as Instant;
  const read = ({ subject, resource }: (typeof asked)[number]) =>
    store.read((s) => [
      s.sequence,
      s.locks(),
      s.grantsFor(subject, resource, now),
      s.pendingFor(subject, resource, now),
    ]);
  const cold = timed(() => asked.forEach(read));
  for (let warm = 0; warm < 3; warm++) asked.forEach(read);
  const times: number[] = [];
  for (let round = 0; round < 10; round++) times.push(timed(() => asked.forEach(read)));
  const micros = (ms: number) => ((ms * 1_000) / asked.length).toFixed(2);
  console.log(
    `read of ${asked.length} subjects: ${micros(Math.min(...times))} us best, ` +
      `${micros(times.toSorted((a, b) => a - b)[5]!)} us median, ${micros(cold)} us the first time`,
  );
}

async function commits(store: Store): Promise<void> {
  const change = () => store.change(FILL_START, (c) => c.record({ kind: 'system' }, { action: 'service.stopped' }));
  const serial = performance.now();
  for (let n = 0; n < 500; n++) await change();
  console.log(`changes one after the other: ${Math.round(500 / ((performance.now() - serial) / 1_000))}/s`);
  const together = performance.now();
  await Promise.all(Array.from({ length: 10_000 }, change));
  console.log(`changes at once: ${Math.round(10_000 / ((performance.now() - together) / 1_000))}/s`);
}

/** 5,000 decisions a second, in a batch each 25 ms: how much of one processor that takes. */
async function decisions(store: Store): Promise<void> {
  const start = Date.UTC(2026, 5, 1);
  const before = process.cpuUsage();
  const wall = performance.now();
  const batches = 400;
  for (let batch = 0; batch < batches; batch++) {
    const due = wall + batch * 25;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    await store.recordDecisions(
      Array.from({ length: 125 }, (_, i) => decision((start + batch * 25 + Math.floor(i / 5)) as Instant)),
    );
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - wall) / 1_000;
  console.log(
    `${Math.round((batches * 125) / seconds)} decisions/s take ${(((user + system) / 1e6 / seconds) * 100).toFixed(1)} % ` +
      'of one processor, making them up included',
  );
  console.log(`a page of decisions: ${timed(() => store.decisions({ limit: 100 })).toFixed(2)} ms`);
  console.log(`a decision by id: ${timed(() => store.decision(decision(start as Instant).id)).toFixed(2)} ms`);
}

function decision(at: Instant): DecisionRecord {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(at, 0, 6);
  return {
    id: `dec_${base32(bytes)}` as DecisionRecord['id'],
    at,
    effect: 'allow',
    reason: null,
    subject: subjectOf(at % 1_000),
    person: `user-${at % 1_000}` as DecisionRecord['person'],
    resource: resourceOf(at),
    actions: ['access' as never],
    grantId: `gr_${createHash('sha256').update(bytes).digest('hex').slice(0, 26)}` as DecisionRecord['grantId'],
    requestId: `req_${'0'.repeat(26)}` as DecisionRecord['requestId'],
    policy: 'prod-data' as DecisionRecord['policy'],
    lockId: null,
    source: '10.0.0.17:50123',
    request: 'GET /invoices/2026/06/117',
    message: null,
    asOf: 1_000_000,
  };
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'mac-key': { type: 'string' } } });
const [folder, count] = positionals;
if (folder === undefined || values['mac-key'] === undefined) {
  throw new Error(
    'usage: node --import tsx bench/store.ts FOLDER COUNT --mac-key FILE, on a folder that fill.ts filled',
  );
}
const start = performance.now();
const store = await openLmdbStore({
  folder,
  macKey: readMacKey(values['mac-key'], folder),
  now: () => Date.now() as Instant,
  onFailStop: (cause) => console.error(cause),
  allowVolatile: true,
});
console.log(`open: ${(performance.now() - start).toFixed(1)} ms`);
readsPerCheck(store, Number(count), 5_000);
await commits(store);
await decisions(store);
await store.close();
