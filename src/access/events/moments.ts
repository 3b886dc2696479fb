import type { AuditEntry } from '../../domain/audit-entry.js';
import { grantStateOf, type Grant } from '../../domain/grant.js';
import type { GrantId, RequestId } from '../../domain/ids.js';
import { requestStateOf, type AccessRequest } from '../../domain/request.js';
import { CLOCK_TOLERANCE, hours, minutes, type Clock, type Instant } from '../../domain/time.js';
import type { Cursor, Snapshot, Store } from '../../store/store.js';
import type { Told } from './event.js';
import { Heap } from './heap.js';

/** How long before its end the holder of a grant is told, where it was longer than that. */
const SOON = minutes(5);

/** How long it is known what the time has brought: whoever has heard nothing for longer must list again. */
const REMEMBERED = hours(1);

/** Kept of what is past, and of what is to come: some tens of megabytes at the very most. */
const MAX_PAST = 5_000;
const MAX_COMING = 200_000;
/** Looked at in one go: a few milliseconds. */
const AT_ONCE = 200;

type Kind = 'request.lapsed' | 'grant.ends_soon' | 'grant.ended';

/** Something that the time will bring, unless something else happens to it before. */
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
  readonly #coming = new Heap<Coming>();
  #past: Moment[] = [];
  #known = new Set<string>();
  /** From this instant on all is known. */
  #since: Instant;
  #until: Instant;

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
  }

  /** Everything up to this instant has been told. */
  get until(): Instant {
    return this.#until;
  }

  /** Looks through the store for what has come within the last hour and what is to come; gives way between pages. */
  async load(): Promise<void> {
    const from = (this.#until - REMEMBERED) as Instant;
    await this.#each(
      (page) => (snapshot) => snapshot.requests({ ...page, pendingAt: from, keep: ({ settled }) => settled === null }),
      (request) => this.#expect(momentsOfRequest(request), from),
    );
    await this.#each(
      (page) => (snapshot) => snapshot.grants({ ...page, unexpiredAt: from }),
      (grant) => this.#expect(momentsOfGrant(grant), from),
    );
    const begun = this.#until;
    while (this.tick().isMore) await new Promise((resolve) => setImmediate(resolve));
    // In the order in which they came, each at its own time: as if there had been no restart.
    this.#past = this.#past
      .map((moment) => (moment.told.at <= begun ? { ...moment, place: moment.told.at } : moment))
      .sort((a, b) => a.place - b.place);
    if (this.#past.length < MAX_PAST) this.#since = from;
  }

  /** A change may bring something in its time. */
  hear({ transition }: AuditEntry): void {
    if (transition.action === 'request.created') this.#expect(momentsOfRequest(transition.request), this.#since);
    if (transition.action === 'grant.created') this.#expect(momentsOfGrant(transition.grant), this.#since);
  }

  /** Notes what has come; of very much that has come at once only a part. */
  tick(): { readonly isNew: boolean; readonly isMore: boolean } {
    const { wall, trusted } = this.#clock.read();
    if (!trusted) return { isNew: false, isMore: false };
    const due: Coming[] = [];
    while (due.length < AT_ONCE && this.#isDue(wall)) due.push(this.#coming.take()!);
    const come = due.length === 0 ? [] : this.#comeOf(due, wall);
    this.#past.push(...come);
    const isMore = this.#isDue(wall);
    this.#until = Math.max(this.#until, isMore ? due.at(-1)!.at : wall, come.at(-1)?.place ?? 0) as Instant;
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

  #isDue(now: Instant): boolean {
    return (this.#coming.first?.at ?? Infinity) <= now;
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

  #expect(moments: readonly Coming[], from: Instant): void {
    for (const moment of moments) {
      if (moment.at <= from) continue;
      if (this.#coming.size < MAX_COMING) this.#coming.add(moment);
      else this.#alarm(new Error('too many grants and requests at once: of some nobody is told when their time comes'));
    }
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

  async #each<T>(
    read: (page: { limit: number; after?: Cursor | undefined }) => (snapshot: Snapshot) => {
      readonly items: readonly T[];
      readonly next: Cursor | null;
    },
    use: (item: T) => void,
  ): Promise<void> {
    let after: Cursor | undefined;
    do {
      const { items, next } = this.#store.read(read({ limit: AT_ONCE, after }));
      for (const item of items) use(item);
      after = next ?? undefined;
      await new Promise((resolve) => setImmediate(resolve));
    } while (after !== undefined);
  }
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
