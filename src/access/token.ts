import { printActor, type Actor } from '../domain/actor.js';
import { printDuration } from '../domain/durations.js';
import { AccessError } from '../domain/errors.js';
import type { TokenId } from '../domain/ids.js';
import type { Sha256 } from '../domain/request.js';
import { NAME } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { ROLES } from '../domain/roles.js';
import type { Subject } from '../domain/subject.js';
import { after, days, hours, type Duration } from '../domain/time.js';
import type { Token } from '../domain/token.js';
import type { Snapshot } from '../store/store.js';
import type { Dependencies } from './dependencies.js';
import { assertWithin, TOKEN_QUOTA } from './quota.js';
import { assertRole, is } from './rights.js';
import { trustedNow } from './trusted-now.js';
import { assertNotUnderLock } from './under-lock.js';

export interface TokenWish {
  /** Makes a service token of this name instead of one for the actor itself. */
  readonly service?: string | undefined;
  /** What a service token may ask access for. */
  readonly subject?: Subject | undefined;
  readonly duration?: Duration | undefined;
}

/** A token is a bridge between two certificates, not a replacement for them. */
const LIFETIME = {
  person: { default: hours(8), max: hours(24) },
  service: { default: days(30), max: days(365) },
} as const;

/** Says that a string is a token of ours, for secret scanners and for people. */
const PREFIX = 'pcs_';

/**
 * Makes a token. The secret is in the answer and nowhere else. A personal token carries the person who authenticated to
 * make it; whatever is made for somebody or something else is a service token.
 *
 * @throws {AccessError} `not_permitted`, `invalid_request`, `invalid_duration`, `quota_used_up`, `storage_full`,
 * `clock_suspect`
 */
export async function createToken(
  { store, clock, policies, newId, sha256, room }: Dependencies,
  actor: Actor,
  wish: TokenWish,
  randomSecret: () => Uint8Array,
): Promise<{ readonly token: Token; readonly secret: string }> {
  const now = trustedNow(clock);
  const holder = holderOf(actor, wish);
  if (holder.kind === 'service') assertMayMake(actor, holder.name, policies.current);
  const { default: usual, max } = LIFETIME[holder.kind];
  if ((wish.duration ?? usual) > max) {
    throw new AccessError('invalid_duration', `a ${holder.kind} token lives for at most ${printDuration(max)}`);
  }
  if (room.level() !== 'all')
    throw new AccessError('storage_full', 'no new tokens: the disk of the service is nearly full');
  const maker = printActor(actor);
  const secret = `${PREFIX}${Buffer.from(randomSecret()).toString('base64url')}`;
  return store.change(now, (change) => {
    assertNotUnderLock(actor, 'making tokens', { snapshot: change, directory: policies.current.directory, now });
    // Whoever is the host could fill the disk anyway, and may have to make tokens when nobody else can.
    if (actor.kind !== 'host') assertWithin(TOKEN_QUOTA, maker, change.tokenTimes(maker, TOKEN_QUOTA.perDay), now);
    const token: Token = {
      id: newId('tok', now),
      hash: hashOf(secret, sha256),
      holder,
      createdAt: now,
      createdBy: maker,
      expiresAt: after(now, wish.duration ?? usual),
      revokedAt: null,
      revision: change.nextSequence,
    };
    change.record(actor, { action: 'token.created', token });
    return { token, secret };
  });
}

/**
 * Ends a token at once. Its person may, and admins.
 *
 * @throws {AccessError} `not_found`
 */
export async function revokeToken(
  { store, clock, policies, room }: Pick<Dependencies, 'store' | 'clock' | 'policies' | 'room'>,
  actor: Actor,
  id: TokenId,
): Promise<Token> {
  const now = clock.read().wall;
  return room.ending(() =>
    store.change(now, (change) => {
      const token = change.token(id);
      if (!token || !(ownsToken(actor, token) || is(actor, 'admin', policies.current))) {
        throw new AccessError('not_found', `no token ${JSON.stringify(id)}`);
      }
      if (token.revokedAt !== null) return token;
      const revoked: Token = { ...token, revokedAt: now, revision: change.nextSequence };
      change.record(actor, { action: 'token.revoked', token: revoked });
      return revoked;
    }),
  );
}

/**
 * Admins and the host make service tokens, and none that could do more than they. A service token makes none at all: one
 * that did would live for as long as somebody keeps renewing it.
 */
function assertMayMake(actor: Actor, name: string, policies: PolicySet): void {
  if (actor.kind === 'service')
    throw new AccessError('not_permitted', `${printActor(actor)} is a service token, and those make no tokens`);
  assertRole(actor, ['admin'], 'making service tokens', policies);
  const carried = ROLES.filter((role) => policies.roles.get(role)?.services.includes(name));
  const missing = carried.find((role) => !is(actor, role, policies));
  if (missing === undefined) return;
  throw new AccessError(
    'not_permitted',
    `services named ${JSON.stringify(name)} have the role ${missing}, which ${printActor(actor)} has not; ` +
      'choose another name, or let somebody with that role and admin, or the host, make the token',
  );
}

export function ownsToken(actor: Actor, { holder }: Token): boolean {
  return actor.kind === 'person' && holder.kind === 'person' && holder.person === actor.person;
}

/** The token that a secret opens, usable or not; looked up by hash, so no comparison leaks its time. */
export function tokenOpenedBy(snapshot: Snapshot, secret: string, sha256: Sha256): Token | undefined {
  return secret.startsWith(PREFIX) ? snapshot.tokenByHash(hashOf(secret, sha256)) : undefined;
}

function hashOf(secret: string, sha256: Sha256): string {
  return Buffer.from(sha256(Buffer.from(secret))).toString('hex');
}

function holderOf(actor: Actor, { service, subject }: TokenWish): Token['holder'] {
  if (service !== undefined) {
    if (!NAME.test(service))
      throw new AccessError(
        'invalid_request',
        `expected a service name such as ci-runner, got ${JSON.stringify(service)}`,
      );
    return { kind: 'service', name: service, subject: subject ?? null };
  }
  if (subject !== undefined)
    throw new AccessError('invalid_request', 'only a service token is made for one subject; name the service');
  // A token that made tokens would outlive the certificate behind it by as long as somebody keeps renewing it.
  if (actor.kind === 'person' && actor.subject !== null) return { kind: 'person', person: actor.person };
  throw new AccessError(
    'not_permitted',
    `${printActor(actor)} can make only service tokens; a personal one needs your certificate`,
  );
}
