import type { AuditEntry } from '../domain/audit-entry.js';
import { AccessError } from '../domain/errors.js';
import { HOLD_MARGIN, holdingFor, requestToJoin } from '../domain/hold.js';
import type { RequestId } from '../domain/ids.js';
import type { AccessRequest } from '../domain/request.js';
import { personBehind } from '../domain/who.js';
import type { Asked, CheckDependencies, Looked } from './check.js';
import type { Dependencies } from './dependencies.js';
import type { Feed } from './feed.js';
import { HeldCheck, type HoldOutcome } from './held-check.js';
import { HoldPlaces, type Waiter } from './hold-places.js';
import { candidateOf, openHeld, type Candidate } from './open-held.js';

/** Hears of checks that wait, for metrics and the log. */
export interface HoldObserver {
  readonly opened: (request: AccessRequest) => void;
  readonly ended: (outcome: HoldOutcome, seconds: number, of: Waiter & { readonly request: RequestId | null }) => void;
}

export interface HoldNeeds extends CheckDependencies, Pick<Dependencies, 'sha256'> {
  readonly feed: Feed;
  readonly observe: HoldObserver;
}

/** For callers that do not say how long they wait. */
const UNTOLD_MS = 5_000;

/** A wait in which nobody could approve anything is none. Also what keeps short deadlines from opening requests. */
const SHORTEST_MS = 250;

/** After a request could not be opened the store is not asked again for so long, however many connections come. */
const REFUSED_MS = 5_000;
const REFUSALS_KEPT = 1_000;

/** Holds checks that lack nothing but an approval, until it comes or cannot come any more. */
export class Holds {
  readonly #needed: HoldNeeds;
  readonly #waiting = new Set<HeldCheck>();
  readonly #places = new HoldPlaces();
  readonly #opening = new Map<string, Promise<AccessRequest>>();
  readonly #refusals = new Map<string, { readonly until: number; readonly why: string }>();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(needed: HoldNeeds) {
    this.#needed = needed;
    this.#stopListening = needed.feed.listen((entries) => this.#hear(entries));
  }

  /** How many checks wait. */
  get size(): number {
    return this.#places.taken;
  }

  /**
   * Takes a check that was denied. Null where it is none that may wait; a text where it may, but there is a reason why it
   * does not.
   */
  hold(asked: Asked, { decision, now }: Looked, { patience, again }: Call): HeldCheck | string | null {
    if (decision.effect === 'allow' || this.#isClosed) return null;
    const { policies, observe } = this.#needed;
    const holding = holdingFor(decision.reason, asked.question, policies.current);
    const candidate = holding && candidateOf(asked, decision.reason);
    if (!holding || !candidate || !('is' in asked.question.subject)) return null;
    const given = patience === null ? UNTOLD_MS : patience - HOLD_MARGIN;
    const longest = Math.min(given, holding.policy.hold, asked.question.subject.validUntil - now.wall);
    if (!(longest >= SHORTEST_MS)) return null;
    const waiter = waiterOf(candidate, this.#needed);
    const joined = this.#requestFor(candidate, now.wall);
    const refusal = joined ? null : this.#refusalOf(waiter, now.mono);
    const leave = refusal === null ? this.#places.take(waiter) : null;
    if (leave === null) {
      observe.ended(refusal === null ? 'full' : 'not_opened', 0, { ...waiter, request: joined?.id ?? null });
      return refusal ?? 'as many connections of yours as may wait are waiting already';
    }
    return this.#begin(again, candidate, { waiter, joined, longest, leave });
  }

  /** Everything that waits is answered now, and nothing waits from now on. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const held of this.#waiting) held.end();
  }

  #begin(again: Call['again'], candidate: Candidate, { waiter, joined, longest, leave }: Admitted): HeldCheck {
    const held: HeldCheck = new HeldCheck(again, candidate, {
      needed: this.#needed,
      longest,
      over: (outcome, seconds, request) => {
        leave();
        this.#waiting.delete(held);
        this.#needed.observe.ended(outcome, seconds, { ...waiter, request });
      },
    });
    this.#waiting.add(held);
    if (joined) held.waitFor(joined);
    else this.#open(held, candidate, waiter);
    return held;
  }

  #open(held: HeldCheck, candidate: Candidate, waiter: Waiter): void {
    this.#opened(candidate).then(
      (request) => held.waitFor(request),
      (error: unknown) => {
        const why = error instanceof AccessError ? error.message : 'no request could be opened';
        if (!(error instanceof AccessError)) this.#needed.alarm(error);
        this.#rememberRefusal(waiter, why);
        held.refuse(why);
      },
    );
  }

  /** However many connections want the same at a time, one opens the request and the others join it. */
  #opened(candidate: Candidate): Promise<AccessRequest> {
    const { question, binding } = candidate;
    const key = JSON.stringify([candidate.subject, candidate.resource, question.actions, binding]);
    const known = this.#opening.get(key);
    if (known) return known;
    const opening = this.#openNow(candidate).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }

  async #openNow(candidate: Candidate): Promise<AccessRequest> {
    const request = await openHeld(this.#needed, candidate);
    // Not where it has found one that waited already.
    if (request.connection?.source === candidate.connection.source) this.#needed.observe.opened(request);
    return request;
  }

  #requestFor({ question, subject, resource }: Candidate, now: Looked['now']['wall']): AccessRequest | undefined {
    const { store, policies, alarm } = this.#needed;
    try {
      return store.read((snapshot) =>
        requestToJoin(snapshot.pendingFor(subject, resource, now), question, policies.current, now),
      );
    } catch (error) {
      alarm(error);
      return undefined;
    }
  }

  #refusalOf(waiter: Waiter, mono: number): string | null {
    const refusal = this.#refusals.get(keyOf(waiter));
    return refusal !== undefined && mono < refusal.until ? refusal.why : null;
  }

  #rememberRefusal(waiter: Waiter, why: string): void {
    if (this.#refusals.size >= REFUSALS_KEPT) this.#refusals.clear();
    this.#refusals.set(keyOf(waiter), { until: this.#needed.clock.read().mono + REFUSED_MS, why });
  }

  #hear(entries: readonly AuditEntry[]): void {
    if (this.#waiting.size === 0) return;
    for (const held of this.#waiting) if (entries.some(({ transition }) => held.isAbout(transition))) held.reconsider();
  }
}

/** What is known of the call behind a check. */
interface Call {
  /** Milliseconds that whoever asked waits; null where they do not say. */
  readonly patience: number | null;
  /** Reads the question anew: what it comes to depends on the policies in force. */
  readonly again: () => Asked;
}

interface Admitted {
  readonly waiter: Waiter;
  /** The request that waits already. */
  readonly joined: AccessRequest | undefined;
  readonly longest: number;
  readonly leave: () => void;
}

function waiterOf({ subject, resource }: Candidate, { policies }: HoldNeeds): Waiter {
  return { subject, resource, person: personBehind(policies.current.directory, subject) };
}

function keyOf({ subject, resource }: Waiter): string {
  return `${subject} ${resource}`;
}
