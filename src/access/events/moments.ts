import type { AuditEntry } from '../../domain/audit-entry.js';
import { grantStateOf, type Grant } from '../../domain/grant.js';
import type { GrantId, RequestId } from '../../domain/ids.js';
import { requestStateOf, type AccessRequest } from '../../domain/request.js';
import { CLOCK_TOLERANCE, hours, minutes, type Clock, type Instant } from '../../domain/time.js';
import type { Snapshot, Span, Store } from '../../store/store.js';
import type { Told } from './event.js';

/** How long before its end the holder of a grant is told, where it was longer than that. */
const SOON = minutes(5);

/** How long it is known what the time has brought: whoever has heard nothing for longer must list again. */
const REMEMBERED = hours(1);

/** Kept of what is past. */
const MAX_PAST = 5_000;
/** Looked at in one go: a few milliseconds. */
const AT_ONCE = 200;
const ALL = Number.MAX_SAFE_INTEGER;

type Kind = 'request.lapsed' | 'grant.ends_soon' | 'grant.ended';

/** Something that the time has brought, unless something else happened to it before. */
type Coming = { readonly at: Instant } & (
  | { readonly kind: 'request.lapsed'; readonly id: RequestId }
  | { readonly kind: Exclude<Kind, 'request.lapsed'>; readonly id: GrantId }
);

/** Something that the time has brought, and where it stands among the others. */
export interface Moment {
  readonly place: Instant;
  readonly told: Told;
}

/**
 * What happens by itself because the time has come. Nothing that is decided depends on it: it is only told. It is worked
 * out anew after a restart from what the store has, so a restart loses nothing of the last hour.
 */
export class Moments {
  readonly #store: Pick<Store, 'read'>;
  readonly #clock: Clock;
  readonly #alarm: (cause: unknown) => void;
  #past: Moment[] = [];
  #known = new Set<string>();
  /** From this instant on all is known. */
  #since: Instant;
  #until: Instant;
  /** Everything up to this instant has been looked up in the store. */
  #looked: Instant;
  /** What has been looked up and not been told yet, in its order. */
  #due: Coming[] = [];
  /** What came to be when its time had been looked up already. */
  #late: Coming[] = [];

  constructor(given: {
    readonly store: Pick<Store, 'read'>;
    readonly clock: Clock;
    readonly alarm: (cause: unknown) => void;
  }) {
    this.#store = given.store;
    this.#clock = given.clock;
    this.#alarm = given.alarm;
    this.#until = given.clock.read().wall;
    this.#since = this.#until;
    this.#looked = this.#until;
  }

  /** Everything up to this instant has been told. */
  get until(): Instant {
    return this.#until;
  }

  /** Looks up what has come within the last hour; gives way in between. */
  async load(): Promise<void> {
    const from = (this.#until - REMEMBERED) as Instant;
    this.#looked = Math.max(0, from) as Instant;
    const begun = this.#until;
    while (this.tick().isMore) await new Promise((resolve) => setImmediate(resolve));
    // In the order in which they came, each at its own time: as if there had been no restart.
    this.#past = this.#past
      .map((moment) => (moment.told.at <= begun ? { ...moment, place: moment.told.at } : moment))
      .sort((a, b) => a.place - b.place);
    if (this.#past.length < MAX_PAST) this.#since = from;
  }

  /** What a change brings in its time is found then; what should have come by now is noted. */
  hear({ transition }: AuditEntry): void {
    if (transition.action === 'request.created') this.#noteLate(momentsOfRequest(transition.request));
    if (transition.action === 'grant.created') this.#noteLate(momentsOfGrant(transition.grant));
  }

  /** Notes what has come; of very much that has come at once only a part. */
  tick(): { readonly isNew: boolean; readonly isMore: boolean } {
    const { wall, trusted } = this.#clock.read();
    if (!trusted) return { isNew: false, isMore: false };
    const isLooked = this.#due.length > 0 || this.#look(wall);
    const due = this.#due.splice(0, AT_ONCE);
    const come = due.length === 0 ? [] : this.#comeOf(due, wall);
    this.#past.push(...come);
    const isMore = this.#due.length > 0 || (isLooked && this.#looked < wall);
    const reached = isMore ? (due.at(-1)?.at ?? 0) : wall;
    this.#until = Math.max(this.#until, reached, come.at(-1)?.place ?? 0) as Instant;
    this.#forget((wall - REMEMBERED) as Instant);
    return { isNew: come.length > 0, isMore };
  }

  /** What has come since, in its order; null where that is not known any more. */
  after(instant: Instant): readonly Moment[] | null {
    // A little later than now it may be: a clock that was set back while the service was down.
    if (instant < this.#since || instant > this.#until + CLOCK_TOLERANCE) return null;
    let first = this.#past.length;
    while (first > 0 && this.#past[first - 1]!.place > instant) first -= 1;
    return this.#past.slice(first);
  }

  /** Looks up what has come between the last look and now; of very much the first, and all of what came at one instant. */
  #look(now: Instant): boolean {
    const after = this.#looked;
    this.#due = this.#late.splice(0);
    if (now <= after) return true;
    try {
      this.#store.read((snapshot) => {
        const until = wholeInstants(snapshot, { after, until: now });
        this.#due.push(...comingIn(snapshot, { after, until }, ALL));
        this.#looked = until;
      });
    } catch (error) {
      this.#alarm(error);
      // Looked up again with the next tick.
      return false;
    }
    this.#due.sort((a, b) => a.at - b.at);
    return true;
  }

  #comeOf(due: readonly Coming[], now: Instant): readonly Moment[] {
    // What comes late, because its change was long on its way to the disk, stands behind what has been told before it.
    const earliest = this.#until + 1;
    try {
      return this.#store.read((snapshot) =>
        due.flatMap((coming) => {
          const key = `${coming.kind}:${coming.id}`;
          const told = this.#known.has(key) ? null : toldOf(coming, key, snapshot, now);
          if (told === null) return [];
          this.#known.add(key);
          return [{ place: Math.max(coming.at, earliest) as Instant, told }];
        }),
      );
    } catch (error) {
      this.#alarm(error);
      return [];
    }
  }

  #noteLate(moments: readonly Coming[]): void {
    this.#late.push(...moments.filter(({ at }) => at <= this.#looked && at > this.#since));
  }

  #forget(before: Instant): void {
    const tooOld = this.#past.findIndex(({ place }) => place > before);
    const gone = Math.max(tooOld < 0 ? this.#past.length : tooOld, this.#past.length - MAX_PAST);
    for (const { place, told } of this.#past.splice(0, gone)) {
      this.#known.delete(told.key);
      if (place > this.#since) this.#since = place;
    }
    if (before > this.#since) this.#since = before;
  }
}

/** What has come in a span, in its order; of each kind at most `limit`. */
function comingIn(snapshot: Snapshot, span: Span, limit: number): Coming[] {
  const later = { after: (span.after + SOON) as Instant, until: (span.until + SOON) as Instant };
  const lapsed = snapshot.requestsLapsing(span, limit).map((one) => ({ kind: 'request.lapsed' as const, ...one }));
  const ended = snapshot.grantsEnding(span, limit).map((one) => ({ kind: 'grant.ended' as const, ...one }));
  const soon = snapshot.grantsEnding(later, limit).map(({ id, at }) => {
    return { kind: 'grant.ends_soon' as const, id, at: (at - SOON) as Instant };
  });
  return [...lapsed, ...soon, ...ended].sort((a, b) => a.at - b.at);
}

/** Until when a span is taken so that not much more than is looked at in one go lies in it, and no instant is cut in two. */
function wholeInstants(snapshot: Snapshot, span: Span): Instant {
  const first = comingIn(snapshot, span, AT_ONCE);
  return first.length < AT_ONCE ? span.until : first[AT_ONCE - 1]!.at;
}

function momentsOfRequest({ id, lapsesAt }: AccessRequest): readonly Coming[] {
  return [{ kind: 'request.lapsed', id, at: lapsesAt }];
}

function momentsOfGrant({ id, startsAt, expiresAt }: Grant): readonly Coming[] {
  const end = { kind: 'grant.ended', id, at: expiresAt } as const;
  if (expiresAt - startsAt <= SOON) return [end];
  return [{ kind: 'grant.ends_soon', id, at: (expiresAt - SOON) as Instant }, end];
}

/** Whether it has come to that, by what the store says now. */
function toldOf(coming: Coming, key: string, snapshot: Snapshot, now: Instant): Told | null {
  const { at } = coming;
  if (coming.kind === 'request.lapsed') {
    const request = snapshot.request(coming.id);
    const hasLapsed = request !== undefined && requestStateOf(request, now) === 'lapsed';
    return hasLapsed ? { key, at, event: { type: coming.kind, request } } : null;
  }
  const grant = snapshot.grant(coming.id);
  // Ended before, or its end has been moved: then that is not its time.
  if (grant === undefined || grant.end !== null || !momentsOfGrant(grant).some((one) => isSame(one, coming)))
    return null;
  const isOver = grantStateOf(grant, now).state === 'ended';
  return isOver === (coming.kind === 'grant.ended') ? { key, at, event: { type: coming.kind, grant } } : null;
}

function isSame(a: Coming, b: Coming): boolean {
  return a.kind === b.kind && a.at === b.at;
}
