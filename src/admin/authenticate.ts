import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { actorOfSubject, actorOfToken } from '../access/actors.js';
import type { Dependencies } from '../access/dependencies.js';
import type { Actor } from '../domain/actor.js';
import { DENY_TEXT } from '../domain/deny-text.js';
import { AccessError } from '../domain/errors.js';
import type { Instant } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import type { Door } from './door.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null on routes that are open to everybody. */
    actor: Actor | null;
  }
  interface FastifyContextConfig {
    /** Everybody may call this, without saying who they are. Every other route needs an actor. */
    open?: true;
  }
}

export interface Authentication {
  readonly needed: Pick<Dependencies, 'store' | 'clock' | 'policies' | 'sha256'>;
  readonly identifier: Pick<Identifier, 'identifyDer'>;
  readonly door: Door['kind'];
}

/**
 * Who calls, from what the caller has proved and from nothing that it says.
 *
 * @throws {AccessError} `unauthenticated`
 */
export function authenticate({ needed, identifier, door }: Authentication, request: FastifyRequest): Actor {
  const secret = bearerToken(request.headers.authorization);
  if (door === 'socket') return host(request, secret);
  const now = latestTime(needed);
  const byCertificate = door === 'tls' ? actorOfPeer(request, needed, identifier, now) : null;
  const byToken = secret === null ? null : actorOfSecret(secret, needed, now);
  if (byCertificate && byToken) return sameActor(byCertificate, byToken);
  const actor = byCertificate ?? byToken;
  if (actor) return actor;
  const how = door === 'tls' ? 'a client certificate or a bearer token' : 'a bearer token';
  throw new AccessError('unauthenticated', `this call needs ${how}`);
}

/**
 * The actor of a call, for handlers.
 *
 * @throws {Error} on a route that is open: it has none, and must not act for anybody
 */
export function actorOf({ actor, routeOptions }: FastifyRequest): Actor {
  if (actor === null) throw new Error(`nobody is known to call ${routeOptions.url}`);
  return actor;
}

/** Whoever can open the socket is the host. Anything that came over a network is not, however this was set up. */
function host({ raw }: FastifyRequest, secret: string | null): Actor {
  if (raw.socket.localAddress !== undefined) throw new AccessError('unauthenticated', 'this is no Unix socket');
  if (secret !== null)
    throw new AccessError('unauthenticated', 'the admin socket takes no token: whoever opens it is the host');
  return { kind: 'host' };
}

function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null;
  const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]{1,512})$/i.exec(header) ?? [];
  if (token !== undefined) return token;
  throw new AccessError('unauthenticated', 'expected the header "Authorization: Bearer <token>"');
}

/** A clock that went back must not bring an expired token or certificate back to life. */
function latestTime({ clock, store }: Authentication['needed']): Instant {
  return Math.max(clock.read().wall, store.highWaterMark()) as Instant;
}

function actorOfPeer(
  { raw: { socket } }: FastifyRequest,
  { policies }: Authentication['needed'],
  identifier: Authentication['identifier'],
  now: Instant,
): Actor | null {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return null;
  const identity = identifier.identifyDer(certificate.raw, now);
  if (!('effect' in identity)) return actorOfSubject(identity.subject, policies.current.directory);
  const why = identity.message === undefined ? '' : ` (${identity.message})`;
  throw new AccessError('unauthenticated', DENY_TEXT[identity.reason] + why);
}

function actorOfSecret(secret: string, { store, policies, sha256 }: Authentication['needed'], now: Instant): Actor {
  const { directory } = policies.current;
  const actor = store.read((snapshot) => actorOfToken(snapshot, secret, { directory, now, sha256 }));
  if (actor) return actor;
  throw new AccessError('unauthenticated', 'the token is not known, has expired or was revoked; get a new one');
}

/** Two credentials are one only when they are the same person's. The certificate says more: which subject is used. */
function sameActor(byCertificate: Actor, byToken: Actor): Actor {
  if (byCertificate.kind === 'person' && byToken.kind === 'person' && byCertificate.person === byToken.person)
    return byCertificate;
  throw new AccessError('unauthenticated', 'the client certificate and the token speak for different actors; send one');
}
