import { randomInt, randomUUID } from 'node:crypto';
import type { Actor } from '../../src/domain/actor.js';
import type { Transition } from '../../src/domain/audit-entry.js';
import { AccessError } from '../../src/domain/errors.js';
import type { LmdbStore } from '../../src/store/lmdb.js';
import { at, grant, lock, lockId, request, requestId, review, token, tokenId } from '../builders.js';
import { openTestStore } from '../store-folder.js';
import { decision, grantId } from '../store-scenes.js';

/**
 * Changes a store without pause, several changes at a time, until it is killed or has made `--changes`. Prints a line
 * for each outcome it was told of, and only then:
 *
 *     open SEQUENCE      the store is open
 *     done NAME SEQUENCE a change was acknowledged; its entries carry the name, the last one has this number
 *     full NAME          a change was refused for lack of room
 *     kept ID…           a batch of decisions was acknowledged
 *     stopped WHY        the store has stopped; the process ends with code 70
 *
 * Whoever reads the lines of a killed process has exactly what it was told: writing to a pipe is synchronous.
 */
const [folder, limit] = process.argv.slice(2);
const AT_ONCE = 8;
let left = Number(limit ?? Infinity);

function onFailStop(cause: Error): void {
  say(`stopped ${cause.message}`);
  left = 0;
  setTimeout(() => process.exit(70), 500); // whatever lmdb is waiting for, it may never come
}

const store = await openTestStore(folder!, { onFailStop, commitDeadline: 2_000 as never });
say(`open ${store.read((snapshot) => snapshot.sequence)}`);
await Promise.all(Array.from({ length: AT_ONCE }, () => mutate(store)));
await store.close();

async function mutate(into: LmdbStore): Promise<void> {
  while (left-- > 0) {
    if (randomInt(4) === 0) await decide(into);
    else await change(into);
  }
}

async function change(into: LmdbStore): Promise<void> {
  const transitions = Array.from({ length: randomInt(1, 5) }, someTransition);
  // How many entries the change has is in its name, so that half a change would show.
  const name = `${randomUUID()}/${transitions.length}`;
  const actor: Actor = { kind: 'service', name, subject: null, via: 'token' };
  try {
    const last = await into.change(at(randomInt(1_000)), (made) => {
      for (const transition of transitions) made.record(actor, transition);
      if (randomInt(10) === 0) throw new Error('aborted');
      return made.sequence;
    });
    say(`done ${name} ${last}`);
  } catch (error) {
    if (error instanceof AccessError && error.code === 'storage_full') say(`full ${name}`);
  }
}

async function decide(into: LmdbStore): Promise<void> {
  const size = randomInt(1, 6);
  const first = randomInt(1e9);
  const batch = Array.from({ length: size }, (_, n) =>
    decision(randomInt(600_000), first + n, { message: `${first}/${size}` }),
  );
  await into.recordDecisions(batch).then(
    () => say(`kept ${batch.map(({ id }) => id).join(' ')}`),
    () => undefined,
  );
}

/** Few things that change often. */
function someTransition(): Transition {
  const n = randomInt(1, 40);
  const end = { reason: 'revoked', at: at(n), by: 'bob', why: '' } as const;
  const choices: readonly Transition[] = [
    { action: 'request.created', request: request({ id: requestId(n), createdAt: at(n) }) },
    { action: 'grant.created', grant: grant({ id: grantId(n), expiresAt: at(randomInt(1_000, 2_000)) }) },
    { action: 'grant.ended', grant: grant({ id: grantId(n), expiresAt: at(2_000), end }) },
    { action: 'lock.created', lock: lock({ id: lockId(n) }) },
    { action: 'lock.removed', lock: lock({ id: lockId(n) }) },
    { action: 'review.given', review: review({ requestId: requestId(n) }) },
    { action: 'token.created', token: token({ id: tokenId(n), hash: String(n).padStart(64, '0') }) },
  ];
  return choices[randomInt(choices.length)]!;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
