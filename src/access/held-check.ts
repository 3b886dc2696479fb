import type { Transition } from '../domain/audit-entry.js';
import { deny, type Deny } from '../domain/decision.js';
import { isApprovable, mayWait } from '../domain/hold.js';
import { requestStateOf, type AccessRequest } from '../domain/request.js';
import type { Instant } from '../domain/time.js';
import type { PolicySet } from '../domain/policy.js';
import { conclude, look, type Asked, type CheckDependencies, type Checked, type Looked } from './check.js';
import type { Candidate } from './open-held.js';

/** What can become of a check that waits. `ended` is everything that ends it from outside: a lock, other policies, the end of the service. */
export type HoldOutcome = 'allowed' | 'denied' | 'timed_out' | 'gave_up' | 'ended' | 'not_opened' | 'full';

interface Surroundings {
  readonly needed: CheckDependencies;
  /** Milliseconds from now after which it is over in any case. */
  readonly longest: number;
  /** Called once, the moment it waits no more. */
  readonly over: (outcome: HoldOutcome, seconds: number, request: AccessRequest['id'] | null) => void;
}

/**
 * One check that waits for an approval. It decides nothing by itself: whatever wakes it, the answer is what a check made
 * at that moment gives, on a snapshot of its own.
 */
export class HeldCheck {
  /** The decision, once it waits no more. Never settles when whoever asked has given up. */
  readonly checked: Promise<Checked>;
  readonly longest: number;
  readonly #again: () => Asked;
  readonly #candidate: Candidate;
  readonly #around: Surroundings;
  readonly #begun: number;
  #settle: (checked: Checked) => void = () => undefined;
  #fail: (cause: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout;
  #request: AccessRequest | null = null;
  #isOver = false;

  /** `again` reads the question anew: what a path means may have changed with the policies. */
  constructor(again: () => Asked, candidate: Candidate, around: Surroundings) {
    this.#again = again;
    this.#candidate = candidate;
    this.#around = around;
    this.longest = around.longest;
    this.#begun = around.needed.clock.read().mono;
    this.checked = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    this.#timer = setTimeout(() => this.#finish('timed_out'), around.longest);
  }

  /** From now on it waits for this request, which may have been decided already. */
  waitFor(request: AccessRequest): void {
    if (this.#isOver) return;
    this.#request = request;
    const { wall, mono } = this.#around.needed.clock.read();
    const left = this.#around.longest - (mono - this.#begun);
    clearTimeout(this.#timer);
    // At the end of the request nothing happens that a feed could tell.
    this.#timer = setTimeout(() => this.#finish('timed_out'), Math.max(0, Math.min(left, request.lapsesAt - wall)));
    this.reconsider();
  }

  /** There is no request, for this reason, so there is nothing to wait for. */
  refuse(why: string): void {
    this.#finish('not_opened', why);
  }

  /** Whoever asked does not wait any more. The request stays: they may come again, and others may have joined it. */
  cancel(): void {
    this.#finish('gave_up');
  }

  /** Nothing waits any more. */
  end(): void {
    this.#finish('ended');
  }

  /** Whether a change may have decided it. */
  isAbout(transition: Transition): boolean {
    const { subject, resource } = this.#candidate;
    if ('request' in transition) return transition.request.id === this.#request?.id;
    if ('grant' in transition) return transition.grant.subject === subject && transition.grant.resource === resource;
    return 'lock' in transition || transition.action === 'policy.loaded';
  }

  /** Looks again, and goes on waiting only while an approval of that very request is all that is missing. */
  reconsider(): void {
    if (this.#isOver || this.#request === null) return;
    const { needed } = this.#around;
    const { decision, now } = look(needed, this.#again().question);
    const request = this.#requestNow();
    const waits = request !== null && isApprovable(request, needed.policies.current, now.wall);
    if (decision.effect === 'deny' && waits && mayWait(decision.reason)) return;
    this.#finish(request?.settled && request.settled.state !== 'approved' ? 'denied' : 'ended');
  }

  #finish(outcome: HoldOutcome, why?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { needed, over } = this.#around;
    const seconds = (needed.clock.read().mono - this.#begun) / 1_000;
    const tell = (how: HoldOutcome) => over(how, seconds, this.#request?.id ?? null);
    if (outcome === 'gave_up') return tell(outcome);
    try {
      const asked = this.#again();
      const looked = this.#explained(look(needed, asked.question), why);
      tell(looked.decision.effect === 'allow' ? 'allowed' : outcome);
      this.#settle(conclude(needed, asked, looked));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A deny with what has become of the request. An allow stays what it is. */
  #explained(looked: Looked, why: string | undefined): Looked {
    const { decision, now } = looked;
    if (decision.effect === 'allow') return looked;
    if (why !== undefined) return { ...looked, decision: { ...decision, message: decision.message ?? why } };
    const request = this.#requestNow();
    if (request === null || !mayWait(decision.reason)) return looked;
    return { ...looked, decision: withFate(decision, request, this.#around.needed.policies.current, now.wall) };
  }

  #requestNow(): AccessRequest | null {
    const { store, alarm } = this.#around.needed;
    const id = this.#request?.id;
    if (id === undefined) return null;
    try {
      return store.read((snapshot) => snapshot.request(id)) ?? null;
    } catch (error) {
      alarm(error);
      return null;
    }
  }
}

function withFate(decision: Deny, request: AccessRequest, policies: PolicySet, now: Instant): Deny {
  const state = requestStateOf(request, now);
  switch (state) {
    case 'denied':
    case 'withdrawn':
    case 'lapsed':
      return { ...decision, message: `request ${request.id} ${state === 'lapsed' ? 'has lapsed' : `was ${state}`}` };
    case 'approved':
      return decision;
    case 'pending': {
      if (isApprovable(request, policies, now)) return decision;
      const message = `the policies have changed since request ${request.id} was made; connect again to ask anew`;
      return deny('policy_changed', { requestId: request.id, message });
    }
  }
}
