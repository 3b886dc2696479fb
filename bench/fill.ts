import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Actor } from '../src/domain/actor.js';
import type { Transition } from '../src/domain/audit-entry.js';
import { bornFrom } from '../src/domain/grant.js';
import type { PersonId, PolicyName, ResourceName } from '../src/domain/names.js';
import { requestDigest, type AccessRequest, type RequestContent } from '../src/domain/request.js';
import { ACCESS } from '../src/domain/resource.js';
import type { Subject } from '../src/domain/subject.js';
import { after, days, hours, type Instant } from '../src/domain/time.js';
import { openLmdbStore } from '../src/store/lmdb.js';
import { createMacKey, readMacKey } from '../src/store/mac-key.js';
import type { Change, Store } from '../src/store/store.js';

/** Subjects and resources of the filled store: grant number n is for `subjectOf(n)` on `resourceOf(n)`. */
export const subjectOf = (n: number) => `corp/spiffe://corp/user-${n}` as Subject;
export const resourceOf = (n: number) => `resource-${n % 50}` as ResourceName;

/** The filled grants are born a millisecond apart, from here on, and last seven days. */
export const FILL_START = Date.UTC(2026, 0, 1) as Instant;

const PER_CHANGE = 1_000;
const HOST: Actor = { kind: 'host' };

/**
 * Fills a store with grants, a thousand to a transaction. With `history` each has its request and review, as if it had
 * been asked for and approved; else only the grant itself, which is what a check reads.
 */
export async function fill(store: Store, count: number, { history }: { readonly history: boolean }): Promise<void> {
  for (let first = 0; first < count; first += PER_CHANGE) {
    await store.change((FILL_START + first) as Instant, (change) => {
      for (let n = first; n < Math.min(first + PER_CHANGE, count); n++) recordGrant(change, n, history);
    });
  }
}

function recordGrant(change: Change, n: number, history: boolean): void {
  const at = (FILL_START + n) as Instant;
  const request = requestOf(n, at, change.nextSequence);
  const record = (transition: Transition) => change.record(HOST, transition);
  if (history) {
    record({ action: 'request.created', request });
    const { id: requestId, digest } = request;
    const id = requestId.replace('req_', 'rev_') as never;
    record({
      action: 'review.given',
      review: { id, requestId, digest, person: 'bob' as PersonId, verdict: 'approve', reason: '', at },
    });
    const settled = { state: 'approved', at } as const;
    record({ action: 'request.approved', request: { ...request, settled, revision: change.nextSequence } });
  }
  const grant = bornFrom(request, ['bob' as PersonId], at, change.nextSequence);
  record({ action: 'grant.created', grant });
}

function requestOf(n: number, at: Instant, revision: number): AccessRequest {
  const content: RequestContent = {
    id: `req_${String(n).padStart(26, '0')}` as RequestContent['id'],
    subject: subjectOf(n),
    person: `user-${n}` as PersonId,
    askedBy: `user-${n}`,
    resource: resourceOf(n),
    actions: [ACCESS],
    patterns: {},
    duration: days(7),
    justification: 'filled for a benchmark',
    policy: 'prod-data' as PolicyName,
    policyDigest: 'd'.repeat(64),
    createdAt: at,
    lapsesAt: after(at, hours(1)),
  };
  const digest = requestDigest(content, (bytes) => createHash('sha256').update(bytes).digest());
  return { ...content, digest, settled: null, revision };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'mac-key': { type: 'string' }, history: { type: 'boolean', default: false } },
  });
  const [folder, count] = positionals;
  const keyFile = values['mac-key'];
  if (folder === undefined || !Number.isSafeInteger(Number(count)) || keyFile === undefined) {
    throw new Error('usage: node --import tsx bench/fill.ts FOLDER COUNT --mac-key FILE [--history]');
  }
  if (!existsSync(keyFile)) createMacKey(keyFile);
  const store = await openLmdbStore({
    folder,
    macKey: readMacKey(keyFile, folder),
    now: () => Date.now() as Instant,
    onFailStop: (cause) => console.error(cause),
    allowVolatile: true,
  });
  const start = performance.now();
  await fill(store, Number(count), { history: values.history });
  const took = (performance.now() - start) / 1_000;
  console.log(`${count} grants in ${took.toFixed(1)} s, ${Math.round(store.bytes() / 2 ** 20)} MiB`);
  await store.close();
}

if (import.meta.filename === process.argv[1]) await main();
