import { expect, test } from 'vitest';
import { SESSION_END_REASONS } from '../../domain/session.js';
import type { DecisionAnswer, SessionAnswer } from '../api/answers.js';
import { EXIT } from '../exit-codes.js';
import { whyEnded, type Ended } from './why-ended.js';

const NOW = Date.parse('2026-01-01T10:00:00Z');
const way = { host: 'gate.corp', port: 15_432, name: 'gate.corp', cert: 'C', key: 'K' };
const broken = { isAwaited: false, received: 7, broken: 'ECONNRESET' };
const closed = { isAwaited: false, received: 0, broken: null };
const of = (ended: Ended['ended'], over: Partial<Ended> = {}): Ended => ({
  ended,
  way,
  resource: 'orders-db',
  isAllowed: true,
  now: NOW,
  ...over,
});
const sessionThat = (reason: string, over: Partial<SessionAnswer> = {}) => ({
  session: {
    id: 'ses_1',
    upstream: '10.0.0.7:5432',
    end: { at: new Date(NOW - 2_000).toISOString(), reason, cutAfterMs: null },
    cutBy: null,
    ...over,
  } as SessionAnswer,
  decision: null,
});
const nothing = { session: null, decision: null };

test('a session that somebody cut is told with who, why, and that one may connect again', () => {
  const why = whyEnded(of(broken), sessionThat('cut', { cutBy: { by: 'carol', why: 'stuck' } }))!;
  expect(why.exitCode).toBe(EXIT.notPermitted);
  expect(why.lines).toEqual([
    'error: the session to orders-db was cut 2s ago by carol: "stuck"',
    'hint: the access goes on, and so one may connect again; portcullis sessions ses_1 has more',
  ]);
  expect(whyEnded(of(broken), sessionThat('cut'))!.lines[0]).toMatch(/ was cut 2s ago by hand$/);
});

test.for(SESSION_END_REASONS.filter((reason) => reason !== 'closed'))(
  'a session that was %s is not blamed on the upstream',
  (reason) => {
    const why = whyEnded(of(closed), sessionThat(reason))!;
    expect(why.lines[0]).toMatch(/^error: the session to orders-db was cut 2s ago \w/);
    expect(why.message).not.toContain('upstream');
  },
);

test('what the upstream closed is its own', () => {
  expect(whyEnded(of(broken), sessionThat('closed'))!.lines[0]).toContain(
    'the upstream 10.0.0.7:5432 closed it in the midst',
  );
  expect(whyEnded(of(closed), sessionThat('closed', { upstream: null }))!.lines[0]).toContain(
    'was let through by Envoy at gate.corp:15432, and the upstream closed it before it had sent anything, or is away',
  );
  expect(whyEnded(of({ ...broken, broken: null }), sessionThat('closed'))).toBeNull();
});

test('a check that was denied is told with its reason', () => {
  const denied = { id: 'dec_1', effect: 'deny', reason: 'bound_to_other_source', message: null } as DecisionAnswer;
  const why = whyEnded(of(closed), { session: null, decision: denied })!;
  expect(why.exitCode).toBe(EXIT.notPermitted);
  expect(why.lines).toEqual([
    'error: the session to orders-db was refused: bound_to_other_source: the grant is bound to another source address; ask for access from this one',
    'hint: portcullis explain --decision dec_1 has more',
  ]);
  const missing = { ...denied, reason: 'malformed', message: 'the setting "gate" is missing' };
  expect(whyEnded(of(closed), { session: null, decision: missing })!.lines[0]).toMatch(
    /; the setting "gate" is missing$/,
  );
});

test('where nothing is known both possibilities are named', () => {
  const refused = whyEnded(of(closed), nothing)!;
  expect(refused.exitCode).toBe(EXIT.unreachable);
  expect(refused.lines[0]).toBe(
    'error: Envoy at gate.corp:15432 closed the connection before anything came; access is allowed',
  );
  expect(refused.lines[1]).toMatch(
    /either the upstream is away, or .* not set up .* portcullis decisions --effect deny$/,
  );
  expect(whyEnded(of(broken), nothing)!.lines[1]).toMatch(
    /either the upstream broke it, or Envoy did: portcullis sessions /,
  );
  const allowed = { effect: 'allow' } as DecisionAnswer;
  expect(whyEnded(of(closed), { session: null, decision: allowed })!.lines).toEqual(refused.lines);
});

test('a service that cannot be asked is told as that', () => {
  expect(whyEnded(of(closed, { isAllowed: false }), nothing)!.lines).toEqual([
    'error: Envoy at gate.corp:15432 closed the connection before anything came; the service cannot be asked why',
    'hint: try again when the service is back',
  ]);
});

test('an end in order behind some bytes is nothing to tell', () => {
  expect(whyEnded(of({ ...broken, broken: null }), nothing)).toBeNull();
});
