import { DENY_TEXT } from '../../domain/deny-text.js';
import type { DenyReason } from '../../domain/decision.js';
import type { DecisionAnswer, SessionAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { failure, Failure } from '../failure.js';
import { relativeTime } from '../output/times.js';
import { said } from '../requests/card.js';
import type { FarEnded } from './carry.js';
import type { Evidence } from './evidence.js';
import { printWay, type Way } from './way.js';

/** A session that has ended although access goes on, or nobody could be asked about it. */
export interface Ended {
  readonly ended: FarEnded;
  readonly way: Way;
  readonly resource: string;
  /** Otherwise the service could not be asked. */
  readonly isAllowed: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What went wrong with it, from what the service knows of it; null for an end that is none of ours. */
export function whyEnded(one: Ended, { session, decision }: Evidence): Failure | null {
  if (session?.end) return session.end.reason === 'closed' ? whyClosed(one, session) : whyCut(one, session);
  if (decision?.effect === 'deny') return whyDenied(one, decision);
  return whyUnknown(one);
}

type Over = SessionAnswer & { readonly end: NonNullable<SessionAnswer['end']> };

/** By a person, or by a rule on sessions: the access itself goes on. */
function whyCut({ resource, now }: Ended, session: SessionAnswer): Failure {
  const { end, cutBy } = session as Over;
  const by =
    end.reason === 'cut' && cutBy !== null ? `by ${said(cutBy.by, cutBy.why)}` : (ENDS[end.reason] ?? end.reason);
  return new Failure(EXIT.notPermitted, [
    `error: the session to ${resource} was cut ${relativeTime(end.at, now)} ${by}`,
    `hint: the access goes on, and so one may connect again; portcullis sessions ${session.id} has more`,
  ]);
}

const ENDS: Readonly<Record<string, string>> = {
  cut: 'by hand',
  idle: 'because nothing moved for as long as its policy allows',
  too_many_sessions: 'because there are more at a time than its policy allows',
  contact_lost: 'because its guard had lost contact with the service',
  gone: 'because its guard had lost contact with the service',
  unseen: 'while its guard had lost contact with the service',
  refused: 'by its guard, which had no answer that it could rely on',
  expired: 'because the access that it ran under had expired',
};

/** By the upstream, or because there is none. An end in order behind some bytes is nothing to tell. */
function whyClosed({ ended: { received, broken }, way, resource }: Ended, { upstream }: SessionAnswer): Failure | null {
  if (received > 0 && broken === null) return null;
  const whom = upstream === null ? 'the upstream' : `the upstream ${upstream}`;
  const what = received === 0 ? 'before it had sent anything' : 'in the midst of it';
  return failure(
    EXIT.unreachable,
    `the session to ${resource} was let through by ${printWay(way)}, and ${whom} closed it ${what}, or is away`,
    'access is allowed; ask whoever looks after the upstream',
  );
}

/** The check saw more than we did when we asked: an address that the grant is not for, say. */
function whyDenied({ resource }: Ended, { id, reason, message }: DecisionAnswer): Failure {
  const text = reason !== null && isKnown(reason) ? DENY_TEXT[reason] : 'access is denied';
  return new Failure(EXIT.notPermitted, [
    `error: the session to ${resource} was refused: ${reason ?? 'denied'}: ${text}${message === null ? '' : `; ${message}`}`,
    `hint: portcullis explain --decision ${id} has more`,
  ]);
}

/** No session and no decision: whoever looks after the upstream and whoever looks after the service both have to look. */
function whyUnknown({ ended: { received, broken }, way, resource, isAllowed }: Ended): Failure | null {
  if (received > 0 && broken === null) return null;
  const what = received === 0 ? 'closed the connection before anything came' : `broke the connection (${broken})`;
  if (!isAllowed)
    return failure(
      EXIT.unreachable,
      `${printWay(way)} ${what}; the service cannot be asked why`,
      'try again when the service is back',
    );
  return failure(
    EXIT.unreachable,
    `${printWay(way)} ${what}; access is allowed`,
    received === 0
      ? `either the upstream is away, or Envoy and the service are not set up for ${resource}: then an operator finds the reason with portcullis decisions --effect deny`
      : `either the upstream broke it, or Envoy did: portcullis sessions --mine --resource ${resource} has how sessions ended`,
  );
}

function isKnown(reason: string): reason is DenyReason {
  return Object.hasOwn(DENY_TEXT, reason);
}
