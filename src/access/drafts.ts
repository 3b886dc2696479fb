import type { AuditEntry } from '../domain/audit-entry.js';
import type { DecisionRecord } from '../domain/decision-record.js';
import type { NamedDraft } from '../domain/deny-text.js';
import { draftingFor } from '../domain/draft.js';
import type { DraftId } from '../domain/ids.js';
import type { Sha256 } from '../domain/request.js';
import type { Clock } from '../domain/time.js';
import type { Store } from '../store/store.js';
import type { PolicySource, Room } from './dependencies.js';
import { coversDraft, keepDrafts, type Refused } from './keep-drafts.js';
import { NotedDrafts, type Noted } from './noted-drafts.js';

/** Turns refusals into drafts: named at once, written after the answer. */
export interface Drafts {
  /**
   * Takes a refusal. The draft that it leaves, which is there when somebody asks for it; null where it leaves none.
   * Synchronous, in memory alone.
   */
  note(refused: DecisionRecord): NamedDraft | null;
  /** Resolves once every draft that has been named is on disk. */
  written(): Promise<void>;
  /** That somebody has taken a draft away: refusals from before do not bring it back. */
  forget(id: DraftId): void;
  /** Hears of every change: a request takes the drafts with it that it covers. */
  hear(entries: readonly AuditEntry[]): void;
  /** Hears of a draft that is damaged and therefore left out. */
  readonly damaged: (cause: unknown) => void;
  /** Writes what there is, and takes nothing from then on. */
  close(): Promise<void>;
}

export interface DraftsNeeds {
  readonly store: Pick<Store, 'change'>;
  readonly clock: Clock;
  readonly policies: PolicySource;
  readonly sha256: Sha256;
  readonly room: Pick<Room, 'level'>;
  readonly alarm: (cause: unknown) => void;
  /** Called for each refusal that leaves no draft for want of room. */
  readonly onDropped: () => void;
  /** Nothing is written before this resolves. */
  readonly begin?: Promise<void>;
}

/** How long a new draft waits for others to be written with. */
const GROUP_MS = 50;

/** One that is refused again and again is written so often and no more; in between it is counted in memory. */
const REWRITE_MS = 60_000;
const SWEEP_MS = 10_000;

/** Written in one transaction: more would hold the event loop for longer than a check may take. */
const AT_ONCE = 25;

/**
 * A refusal costs a look into memory. The disk is written once for each draft, and once a minute while the refusals go on.
 * Whoever is refused more than twenty different things within a minute leaves no further drafts meanwhile, and is told of
 * none. A crash loses what was noted in the last moments.
 */
export function createDrafts(needs: DraftsNeeds): Drafts {
  const { store, clock, policies, sha256, room, alarm, onDropped, begin } = needs;
  const noted = new NotedDrafts(sha256);
  let turn: Promise<void> = Promise.resolve();
  let soon: NodeJS.Timeout | null = null;
  let sweeping: NodeJS.Timeout | null = null;
  let isClosed = false;

  function writeNew(): Promise<void> {
    if (soon) clearTimeout(soon);
    soon = null;
    return write(({ writtenAt }) => writtenAt === null);
  }

  function sweep(): void {
    const { mono } = clock.read();
    const isDue = ({ writtenAt }: Noted) => writtenAt !== null && mono - writtenAt >= REWRITE_MS;
    for (const one of noted.all()) if (one.fresh === 0 && isDue(one)) noted.drop(one);
    if (noted.isEmpty()) stopSweeping();
    else void write(isDue);
  }

  function stopSweeping(): void {
    if (sweeping) clearInterval(sweeping);
    sweeping = null;
  }

  /** One after the other; what is due is looked for when the turn has come. */
  function write(isDue: (one: Noted) => boolean): Promise<void> {
    turn = writeDue(isDue, turn).catch(alarm);
    return turn;
  }

  async function writeDue(isDue: (one: Noted) => boolean, before: Promise<void>): Promise<void> {
    await before;
    await begin;
    const due = noted.all().filter((one) => one.fresh > 0 && isDue(one));
    for (let i = 0; i < due.length; i += AT_ONCE) await writeSome(due.slice(i, i + AT_ONCE));
  }

  async function writeSome(some: readonly Noted[]): Promise<void> {
    const batch = some.map(({ fresh, writtenAt, ...one }) => ({ ...one, count: fresh, isKnown: writtenAt !== null }));
    try {
      const gone = await keepDrafts(store, batch, { isLive: (id) => noted.has(id), damaged: alarm });
      const { mono } = clock.read();
      for (const [i, one] of some.entries()) {
        one.fresh -= batch[i]!.count;
        one.writtenAt = mono;
      }
      for (const id of gone) noted.forget(id);
    } catch (error) {
      alarm(error);
      for (const one of some) noted.drop(one); // the next refusal notes them anew
    }
  }

  return {
    note(record) {
      const drafting = isClosed ? null : draftingFor(record, policies.current);
      if (drafting === null) return null;
      const refused = refusedOf(record);
      const one = room.level() === 'all' ? noted.findOrAdd(drafting.target, refused) : null;
      if (one === null) {
        onDropped();
        return null;
      }
      one.refused = refused;
      one.fresh += 1;
      sweeping ??= setInterval(sweep, SWEEP_MS).unref();
      if (one.writtenAt === null) soon ??= setTimeout(() => void writeNew(), GROUP_MS);
      return { id: one.id, justification: drafting.policy.justification };
    },
    written: writeNew,
    forget: (id) => noted.forget(id),
    hear(entries) {
      for (const { transition } of entries) {
        if (transition.action !== 'request.created') continue;
        const { request } = transition;
        for (const one of noted.of(request.subject)) if (coversDraft(request, one.target)) noted.drop(one);
      }
    },
    damaged: alarm,
    async close() {
      isClosed = true;
      stopSweeping();
      if (soon) clearTimeout(soon);
      await write(() => true);
    },
  };
}

function refusedOf({ id, at, reason, request, source }: DecisionRecord): Refused {
  return { decisionId: id, at, reason: reason!, request, source };
}
