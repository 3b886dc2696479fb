import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Actor } from '../src/domain/actor.js';
import type { Transition } from '../src/domain/audit-entry.js';
import { bornFrom } from '../src/domain/grant.js';
import type { ActionName, PersonId, PolicyName } from '../src/domain/names.js';
import { grantIdOf, requestDigest, type AccessRequest, type RequestContent } from '../src/domain/request.js';
import type { GrantId } from '../src/domain/ids.js';
import { after, days, hours, type Instant } from '../src/domain/time.js';
import { openLmdbStore } from '../src/store/lmdb.js';
import { createMacKey, readMacKey } from '../src/store/mac-key.js';
import type { Change, Store } from '../src/store/store.js';
import { personOf, resourceOf, subjectOf } from './scene/names.js';

/** Where grants are born a millisecond apart from here on; each lasts seven days. */
export const FILL_START = Date.UTC(2026, 0, 1) as Instant;

/** What every grant is for. The policy folder of the benchmarks means the same by it. */
export const READ = { action: 'read' as ActionName, patterns: ['GET /**'] } as const;

const PER_CHANGE = 1_000;
const HOST: Actor = { kind: 'host' };

export interface Filling {
  readonly count: number;
  /** Birth of the first grant. */
  readonly start: Instant;
  /** Each with its request and review, as if it had been asked for and approved; else only the grant itself, which is
   * what a check reads. */
  readonly history: boolean;
  /** Who has grant number n, and for what; as names.ts has it where nobody says otherwise. */
  readonly grantee?: (n: number) => Grantee;
}

/** Who has a grant, and for what. */
export type Grantee = Pick<RequestContent, 'subject' | 'person' | 'resource' | 'actions' | 'patterns'>;

const usual = (n: number): Grantee => ({
  subject: subjectOf(n),
  person: personOf(n),
  resource: resourceOf(n),
  actions: [READ.action],
  patterns: { [READ.action]: READ.patterns },
});

/** Fills a store with grants, a thousand to a transaction. */
export async function fill(store: Store, { count, start, history, grantee = usual }: Filling): Promise<void> {
  for (let first = 0; first < count; first += PER_CHANGE) {
    await store.change(after(start, first as never), (change) => {
      for (let n = first; n < Math.min(first + PER_CHANGE, count); n++) {
        recordGrant(change, requestOf(n, after(start, n as never), change.nextSequence, grantee), history);
      }
    });
  }
}

/** The id of grant number n of a store that was filled from `start` on. */
export function grantIdAt(start: Instant, n: number, grantee = usual): GrantId {
  return grantIdOf(requestOf(n, after(start, n as never), 0, grantee).digest);
}

function recordGrant(change: Change, request: AccessRequest, history: boolean): void {
  const at = request.createdAt;
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
  record({ action: 'grant.created', grant: bornFrom(request, ['bob' as PersonId], at, change.nextSequence) });
}

function requestOf(n: number, at: Instant, revision: number, grantee: (n: number) => Grantee): AccessRequest {
  const held = grantee(n);
  const content: RequestContent = {
    id: `req_${String(n).padStart(26, '0')}` as RequestContent['id'],
    ...held,
    askedBy: held.person,
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
  await fillFolder(folder, keyFile, { count: Number(count), start: FILL_START, history: values.history });
}

/** Fills the store of a folder, and says how long that took. The key is made where there is none. */
export async function fillFolder(folder: string, keyFile: string, filling: Filling): Promise<void> {
  if (!existsSync(keyFile)) createMacKey(keyFile);
  const store = await openLmdbStore({
    folder,
    macKey: readMacKey(keyFile, folder),
    now: () => Date.now() as Instant,
    onFailStop: (cause) => console.error(cause),
    allowVolatile: true,
  });
  const start = performance.now();
  await fill(store, filling);
  const took = (performance.now() - start) / 1_000;
  console.error(`${filling.count} grants in ${took.toFixed(1)} s, ${Math.round(store.bytes() / 2 ** 20)} MiB`);
  await store.close();
}

if (import.meta.filename === process.argv[1]) await main();
