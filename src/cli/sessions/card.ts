import type { SessionAnswer } from '../api/answers.js';
import { said } from '../requests/card.js';
import type { Colour } from '../output/colour.js';
import type { CardLine } from '../output/print.js';
import type { Column } from '../output/table.js';
import { relativeTime } from '../output/times.js';

/** A session as a person reads it; `now` in milliseconds since the epoch. */
export function sessionCard(session: SessionAnswer, now: number): CardLine[] {
  const { id, subject, person, resource, protocol, downstream, upstream, startedAt, endsAt, end, cutBy } = session;
  return [
    ['session', id],
    ['state', stateOf(session), sessionColour(session)],
    ['subject', subject],
    ['person', person],
    ['resource', resource],
    ['protocol', protocol],
    ['from', downstream],
    ['to', upstream],
    ['began', `${relativeTime(startedAt, now)} (${startedAt})`],
    ['ends', session.state === 'live' ? `${relativeTime(endsAt, now)} (${endsAt})` : null],
    ['ended', end && `${relativeTime(end.at, now)} (${end.at})`],
    ['cut by', cutBy && said(cutBy.by, cutBy.why)],
    ['cut after', end?.cutAfterMs === undefined || end.cutAfterMs === null ? null : `${end.cutAfterMs} ms`],
    ['received', printBytes(session.bytesReceived)],
    ['sent', printBytes(session.bytesSent)],
    ['grant', session.grantId],
    ['decision', session.decisionId],
    ['policy', session.policy],
    ['envoy', session.node],
  ];
}

/** How sessions are listed. */
export function sessionColumns(now: number): Column<SessionAnswer>[] {
  return [
    { title: 'SESSION', text: ({ id }) => id },
    { title: 'STATE', text: stateOf, colour: sessionColour },
    { title: 'BEGAN', text: ({ startedAt }) => relativeTime(startedAt, now) },
    { title: 'ENDS', text: ({ end, endsAt }) => relativeTime(end === null ? endsAt : end.at, now) },
    { title: 'RESOURCE', text: ({ resource }) => resource, flexible: true },
    { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
    { title: 'FROM', text: ({ downstream }) => downstream ?? '', flexible: true },
    { title: 'BYTES', text: ({ bytesReceived, bytesSent }) => printBytes(bytesReceived + bytesSent) },
  ];
}

/** Of an ended session the reason says more than that it has ended. */
function stateOf({ state, end }: SessionAnswer): string {
  return end?.reason ?? state;
}

function sessionColour({ end }: SessionAnswer): Colour {
  return end === null ? 'good' : 'dim';
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5 MiB`. */
export function printBytes(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1024 ** step;
  return `${step === 0 || size >= 100 ? Math.floor(size) : Math.floor(size * 10) / 10} ${UNITS[step]!}`;
}
