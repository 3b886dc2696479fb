import { createHash } from 'node:crypto';
import { base32, isId, type DecisionId, type GrantId, type SessionId } from '../domain/ids.js';
import type { GuardId, GuardName, SessionProtocol } from '../domain/session.js';
import type { Instant } from '../domain/time.js';
import type { HelloMessage, SessionMessage } from './wire.js';

/** A peer says what no guard says. Its stream is ended. */
export class NoGuardError extends Error {
  override readonly name = 'NoGuardError';
}

/** The one version of the protocol. */
const PROTOCOL = 1;

const GUARD_ID = /^[0-9a-f]{32}$/;

/** Who says hello. */
export function readName({ protocol, guardId, nodeId, nodeCluster, envoyVersion }: HelloMessage): GuardName {
  if (protocol !== PROTOCOL)
    throw new NoGuardError(`the hello is of protocol ${protocol}, this service speaks ${PROTOCOL}`);
  if (!GUARD_ID.test(guardId)) throw new NoGuardError('the hello names no guard');
  return {
    id: guardId as GuardId,
    node: printable(nodeId),
    cluster: printable(nodeCluster),
    envoyVersion: printable(envoyVersion),
  };
}

/** A session as its guard tells it, in our words. */
export interface ToldSession {
  readonly number: number;
  /** Null for what cannot be one of ours. */
  readonly grantId: GrantId | null;
  readonly decisionId: DecisionId | null;
  readonly protocol: SessionProtocol;
  readonly downstream: string | null;
  readonly upstream: string | null;
  readonly startedAt: Instant;
  readonly remainingMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export function readSession(message: SessionMessage | null): ToldSession {
  if (message === null || message.session === 0) throw new NoGuardError('a session has no number');
  const { session, grantId, decisionId, downstreamAddress, upstreamAddress } = message;
  return {
    number: session,
    grantId: isId('gr', grantId) ? (grantId as GrantId) : null,
    decisionId: isId('dec', decisionId) ? (decisionId as DecisionId) : null,
    protocol: PROTOCOLS[message.protocol] ?? 'http',
    downstream: printable(downstreamAddress) || null,
    upstream: printable(upstreamAddress) || null,
    startedAt: whole(message.startedMs, LATEST) as Instant,
    remainingMs: whole(message.remainingMs),
    bytesReceived: whole(message.bytesReceived),
    bytesSent: whole(message.bytesSent),
  };
}

/** A number off the wire as one that can be kept: whole, not negative, and exact. */
export function whole(value: number, most: number = Number.MAX_SAFE_INTEGER): number {
  return Number.isSafeInteger(value) && value >= 0 ? Math.min(value, most) : value > 0 ? most : 0;
}

/** What an id has room for, and a date. */
const LATEST = Date.UTC(9999, 0, 1);

/**
 * The id of a session: the same whenever it is told, so that it keeps it when the service restarts. It sorts by start, and
 * only whoever knows the guard's id could make it up.
 */
export function sessionIdOf(
  guard: GuardId,
  { number, startedAt }: Pick<ToldSession, 'number' | 'startedAt'>,
): SessionId {
  const bytes = createHash('sha256').update(`${guard} ${number}`).digest().subarray(0, 16);
  bytes.writeUIntBE(startedAt, 0, 6);
  return `ses_${base32(bytes)}` as SessionId;
}

const PROTOCOLS: Readonly<Record<string, SessionProtocol>> = {
  HTTP: 'http',
  UPGRADE: 'upgrade',
  GATE: 'gate',
  TCP: 'tcp',
};

/** Text off the wire goes into logs, lists and terminals. */
function printable(text: string): string {
  return text.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?');
}
