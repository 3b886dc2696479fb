import { list, members, record, number, optional, orNull, text, type Shape, type Shaped } from './shape.js';

/** What a grant is bound to besides its subject. */
const binding = orNull(members({ key: orNull(text), sources: orNull(list(text)) }));
export type BindingAnswer = Shaped<typeof binding>;

/** What a lock denies; one of the members other than `kind` says it. */
const lockTarget = members({ kind: text });

/** A lock as others than those who look after it are told of it. */
const lockHit = members({ id: text, target: lockTarget, message: text, expiresAt: orNull(text) });

/** An access request. */
export const request = members({
  id: text,
  subject: text,
  person: text,
  askedBy: text,
  resource: text,
  actions: list(text),
  patterns: record(list(text)),
  duration: text,
  justification: text,
  policy: text,
  policyDigest: text,
  binding,
  connection: orNull(members({ source: text, key: text, request: orNull(text) })),
  createdAt: text,
  lapsesAt: text,
  digest: text,
  state: text,
  reviews: list(members({ person: text, verdict: text, reason: text, at: text })),
  approvalsNeeded: orNull(number),
  reviewers: list(text),
  grantId: orNull(text),
  locks: list(lockHit),
});
export type RequestAnswer = Shaped<typeof request>;

/** What a refused connection has left. */
export const draft = members({
  id: text,
  subject: text,
  person: text,
  resource: text,
  action: text,
  policy: text,
  justification: orNull(text),
  reason: text,
  request: orNull(text),
  source: orNull(text),
  decisionId: text,
  count: number,
  createdAt: text,
  lastAt: text,
  expiresAt: text,
});
export type DraftAnswer = Shaped<typeof draft>;

/** Guards that have not applied a change that ends access; not there when all have. */
const unapplied = optional(list(members({ guard: text, node: text, endsAt: text })));
export type Unapplied = Shaped<typeof unapplied>;

/** A grant. */
export const grant = members({
  id: text,
  requestId: text,
  policy: text,
  subject: text,
  person: text,
  resource: text,
  actions: list(text),
  patterns: record(list(text)),
  binding,
  startsAt: text,
  expiresAt: text,
  approvedBy: list(text),
  state: text,
  reason: orNull(text),
  end: orNull(members({ at: text, by: text, why: text })),
  unapplied,
});
export type GrantAnswer = Shaped<typeof grant>;

/** A lock. */
const lockMembers = {
  id: text,
  target: lockTarget,
  reason: text,
  message: text,
  createdAt: text,
  createdBy: text,
  expiresAt: orNull(text),
  state: text,
  unapplied,
} as const;
export const lock = members(lockMembers);
export type LockAnswer = Shaped<typeof lock>;

/** What a lock has hit, in the answer to its making. */
export const newLock = members({
  ...lockMembers,
  hit: members({ grants: orNull(number), sessions: number }),
  warning: orNull(text),
});
export type NewLockAnswer = Shaped<typeof newLock>;

/** A session that lives or has ended lately. */
export const session = members({
  id: text,
  grantId: text,
  decisionId: orNull(text),
  policy: text,
  subject: text,
  person: text,
  resource: text,
  protocol: text,
  downstream: orNull(text),
  upstream: orNull(text),
  startedAt: text,
  endsAt: text,
  bytesReceived: number,
  bytesSent: number,
  node: text,
  state: text,
  end: orNull(members({ at: text, reason: text, cutAfterMs: orNull(number) })),
  cutBy: orNull(members({ by: text, why: text })),
  unapplied,
});
export type SessionAnswer = Shaped<typeof session>;

/** A decision. */
export const decision = members({
  id: text,
  at: text,
  effect: text,
  reason: orNull(text),
  subject: orNull(text),
  person: orNull(text),
  resource: orNull(text),
  actions: list(text),
  grantId: orNull(text),
  requestId: orNull(text),
  policy: orNull(text),
  lockId: orNull(text),
  source: orNull(text),
  request: orNull(text),
  message: orNull(text),
});
export type DecisionAnswer = Shaped<typeof decision>;

/** What a check would come to. */
export const explanation = members({
  effect: text,
  reason: orNull(text),
  text: orNull(text),
  message: orNull(text),
  endsAt: orNull(text),
  subject: orNull(text),
  person: orNull(text),
  resource: orNull(text),
  actions: list(text),
  locks: list(lockHit),
  grants: list(grant),
  pending: list(members({ id: text, lapsesAt: text })),
  policies: list(text),
  hold: orNull(members({ policy: text, longest: text })),
  draft: orNull(text),
  cure: orNull(text),
});
export type ExplanationAnswer = Shaped<typeof explanation>;

const tokenMembers = {
  id: text,
  holder: members({ kind: text }),
  createdAt: text,
  createdBy: text,
  expiresAt: text,
  state: text,
} as const;

/** A token, without its secret. */
export const token = members(tokenMembers);
export type TokenAnswer = Shaped<typeof token>;

/** A token just made, with its secret. */
export const newToken = members({ ...tokenMembers, secret: text });

/** Who the service takes the caller for. */
export const whoami = members({
  kind: text,
  name: text,
  person: orNull(text),
  subjects: list(text),
  roles: list(text),
  via: text,
});

/** One page of a listing. */
export function page<T>(item: Shape<T>) {
  return members({ items: list(item), next: orNull(text) });
}

/** A lock's target in words: its kind, then what it names. */
export function printTarget(target: Shaped<typeof lockTarget>): string {
  const { kind, ...rest } = target as Readonly<Record<string, unknown>> & { readonly kind: string };
  return [kind, ...Object.values(rest).filter((value) => typeof value === 'string')].join(' ');
}

/** Whom a token speaks for, in words. */
export function printHolder(holder: TokenAnswer['holder']): string {
  return printTarget(holder);
}
