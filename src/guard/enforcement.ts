import { covers, standingOf, type Judging } from '../access/standing.js';
import { printActor } from '../domain/actor.js';
import type { AuditEntry } from '../domain/audit-entry.js';
import type { Grant } from '../domain/grant.js';
import type { GrantId, SessionId } from '../domain/ids.js';
import { hits, isInForce, type Lock } from '../domain/lock.js';
import type { PolicySet } from '../domain/policy.js';
import type { SessionEndReason } from '../domain/session.js';
import { personBehind } from '../domain/who.js';
import type { Cursor } from '../store/store.js';
import { endUnder, rebind } from './binding.js';
import { endReasonOf } from './judge.js';
import type { LiveSession } from './session-table.js';
import type { Shared } from './shared.js';

/** Grants judged in one go: a millisecond or two; then others get their turn. */
const SLICE = 100;
const PAGE = 500;

/** What becomes of a grant's sessions. */
interface Verdict {
  readonly grant: Grant;
  readonly instead: Grant | null;
  readonly reason: SessionEndReason;
}

/** Carries what ends or changes access to the guards. */
export class Enforcement {
  readonly #shared: Shared;
  /** Number of the last change that can have ended access: what guards hold answers against. */
  #sequence: number;
  #policies: PolicySet;
  /** Grants that have ended and that another one covers, until their natural end. */
  readonly #replaced = new Map<GrantId, Grant>();
  /** What still looks for grants that a change has hit. */
  readonly #searches = new Set<Promise<void>>();

  constructor(shared: Shared) {
    this.#shared = shared;
    this.#sequence = shared.store.read((snapshot) => snapshot.sequence);
    this.#policies = shared.policies.current;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Whether all grants have been found that changes so far have hit. */
  get isThrough(): boolean {
    return this.#searches.size === 0;
  }

  /** Resolves when they have been. */
  async through(): Promise<void> {
    while (this.#searches.size > 0) await Promise.all(this.#searches);
  }

  /** Hears what was committed, in the turn in which that became known. */
  hear(entries: readonly AuditEntry[]): void {
    const { mono } = this.#shared.clock.read();
    for (const { sequence, actor, transition } of entries) {
      switch (transition.action) {
        case 'grant.ended':
          this.#sequence = sequence;
          this.#reconsider([transition.grant], mono);
          break;
        case 'grant.created':
          this.#takeOver(transition.grant, mono);
          break;
        case 'lock.created':
          this.#sequence = sequence;
          this.#lock(transition.lock, mono);
          break;
        case 'policy.loaded':
          this.#sequence = sequence;
          this.lookAtPolicies();
          break;
        case 'session.cut':
          this.#cut(transition.session.id, { by: printActor(actor), why: transition.why }, mono);
          break;
        case 'lock.removed':
        case 'request.created':
        case 'request.approved':
        case 'request.denied':
        case 'request.withdrawn':
        case 'review.given':
        case 'token.created':
        case 'token.revoked':
        case 'guard.joined':
        case 'guard.left':
        case 'session.opened':
        case 'session.closed':
        case 'service.started':
        case 'service.stopped':
          break;
      }
    }
  }

  /** Policies are in force before they are written down, and whether or not they can be: so they are looked at by themselves. */
  lookAtPolicies(): void {
    const { current } = this.#shared.policies;
    if (current === this.#policies) return;
    this.#policies = current;
    this.#search(this.#reconsiderAll(this.#shared.clock.read().mono));
  }

  /** Judges grants that something has happened to, and those that they had taken over from. */
  #reconsider(grants: readonly Grant[], since: number): void {
    const { commands, table } = this.#shared;
    const { verdicts, sequence } = this.#judge(grants);
    const cause = { sequence, since };
    for (const { grant, instead } of verdicts) {
      if (instead === null) continue;
      this.#replaced.set(grant.id, grant);
      rebind(this.#shared, [...table.under(grant.id)], instead, cause);
    }
    const dead = verdicts.filter(({ instead }) => instead === null);
    for (const { grant, reason } of dead)
      for (const session of table.under(grant.id)) session.mark ??= { reason, since };
    commands.cutGrants(
      dead.map(({ grant }) => grant),
      cause,
    );
  }

  #judge(grants: readonly Grant[]): { readonly verdicts: readonly Verdict[]; readonly sequence: number } {
    const { store, policies, clock, alarm } = this.#shared;
    try {
      return store.read((snapshot) => {
        const judging = { snapshot, policies: policies.current, now: clock.read().wall };
        const all = [...grants, ...this.#replacedBy(grants)].map((grant) => snapshot.grant(grant.id) ?? grant);
        return { verdicts: verdictsOn(all, judging), sequence: snapshot.sequence };
      });
    } catch (error) {
      // What cannot be judged does not go on.
      alarm(error);
      return { verdicts: grants.map((grant) => ({ grant, instead: null, reason: 'cut' })), sequence: this.#sequence };
    }
  }

  /** What was too short to be told when another grant took over still runs under the one before. */
  #replacedBy(grants: readonly Grant[]): readonly Grant[] {
    const now = this.#shared.clock.read().wall;
    for (const { id, expiresAt } of this.#replaced.values()) if (expiresAt <= now) this.#replaced.delete(id);
    return [...this.#replaced.values()].filter(({ id, subject, resource }) =>
      grants.some((one) => one.id !== id && one.subject === subject && one.resource === resource),
    );
  }

  /** Sessions that would end before this grant does go on under it, before they end. */
  #takeOver(grant: Grant, since: number): void {
    const { store, table, policies, clock, alarm } = this.#shared;
    const beside = table
      .grants()
      .filter(
        ({ id, subject, resource }) => id !== grant.id && subject === grant.subject && resource === grant.resource,
      );
    if (beside.length === 0) return;
    try {
      store.read((snapshot) => {
        const judging = { snapshot, policies: policies.current, now: clock.read().wall };
        for (const other of beside.filter((one) => covers(grant, one, judging))) {
          const sessions = [...table.under(other.id)].filter((session) => endUnder(grant, session) > session.endsAt);
          rebind(this.#shared, sessions, grant, { sequence: snapshot.sequence, since });
        }
      });
    } catch (error) {
      alarm(error); // they keep the end they have
    }
  }

  /** What lives is cut at once; then the grants are looked for under which something may live that is too short to be told. */
  #lock(lock: Lock, since: number): void {
    const { table, clock, policies } = this.#shared;
    const { directory } = policies.current;
    const isHit = (grant: Grant) =>
      isInForce(lock, clock.read().wall) &&
      (hits(lock, grant) || hits(lock, { ...grant, person: personBehind(directory, grant.subject) }));
    const told = table.grants().filter(isHit);
    if (told.length > 0) this.#reconsider(told, since);
    const known = new Set(told.map(({ id }) => id));
    this.#search(this.#reconsiderStored((grant) => !known.has(grant.id) && isHit(grant), since));
  }

  async #reconsiderStored(keep: (grant: Grant) => boolean, since: number): Promise<void> {
    const { store, clock } = this.#shared;
    let after: Cursor | undefined;
    do {
      const now = clock.read().wall;
      const page = store.read((snapshot) => snapshot.grants({ unexpiredAt: now, limit: PAGE, after, keep }));
      for (let from = 0; from < page.items.length; from += SLICE) {
        this.#reconsider(page.items.slice(from, from + SLICE), since);
        await nextTurn();
      }
      after = page.next ?? undefined;
      await nextTurn();
    } while (after !== undefined);
  }

  async #reconsiderAll(since: number): Promise<void> {
    const grants = this.#shared.table.grants();
    for (let from = 0; from < grants.length; from += SLICE) {
      this.#reconsider(grants.slice(from, from + SLICE), since);
      await nextTurn();
    }
  }

  #search(search: Promise<void>): void {
    const own = search.catch(this.#shared.alarm).finally(() => this.#searches.delete(own));
    this.#searches.add(own);
  }

  #cut(id: SessionId, cutBy: LiveSession['cutBy'], since: number): void {
    const { table, commands } = this.#shared;
    const session = table.find(id);
    if (session?.end !== null) return;
    session.cutBy = cutBy;
    commands.cutSession(session, { reason: 'cut', since }, { sequence: this.#sequence, since });
  }
}

/** Those that do not stand. What has not begun carries nothing that could be ended. */
function verdictsOn(grants: readonly Grant[], judging: Judging): readonly Verdict[] {
  return grants.flatMap((grant) => {
    const standing = standingOf(grant, judging);
    if (standing.stands || standing.reason === 'not_started') return [];
    return [{ grant, instead: standing.instead, reason: endReasonOf(standing.reason) }];
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
