import { expect, test } from 'vitest';
import { grant, lock, request, review, T0 } from '../../test/builders.js';
import type { AccessEvent } from '../access/events/event.js';
import { hours, type Instant } from '../domain/time.js';
import { noticeOf } from './notice.js';

const tell = (event: AccessEvent, at: Instant = T0, reviews = [review()]) =>
  noticeOf({ key: '7', at, event }, () => ({ reviews, reviewers: ['bob'] }));

test('whoever is asked reads who wants what, for how long and why, and what approves it', () => {
  expect(tell({ type: 'request.created', request: request() }, T0, [])).toEqual({
    v: 1,
    id: '7',
    kind: 'asked',
    event: 'request.created',
    at: '2026-01-01T00:00:00.000Z',
    text: 'alice asks for orders-db for 1h: ticket 7',
    request: {
      id: request().id,
      state: 'pending',
      person: 'alice',
      subject: 'corp/spiffe://corp/alice',
      resource: 'orders-db',
      actions: ['access'],
      policy: 'prod-data',
      duration: '1h',
      justification: 'ticket 7',
      askedBy: 'alice',
      lapsesAt: '2026-01-01T01:00:00.000Z',
      reviews: [],
      reviewers: ['bob'],
      command: `portcullis approve ${request().id}`,
    },
  });
});

test('what nobody sees in a text stands in it as escapes, on one line', () => {
  const told = tell({ type: 'request.created', request: request({ justification: 'a\nb\u202ec\u001b[2J' }) }, T0, []);
  expect(told?.request?.justification).toBe('a\\nb\\u202ec\\u001b[2J');
  expect(told?.text).toBe('alice asks for orders-db for 1h: a\\nb\\u202ec\\u001b[2J');
});

test.for([
  ['approved', 'the request of alice for orders-db is approved by bob'],
  ['denied', 'the request of alice for orders-db is denied by bob'],
  ['withdrawn', 'the request of alice for orders-db is withdrawn'],
] as const)('a request that is %s says so, and has no command any more', ([state, text]) => {
  const settled = request({ settled: { state, at: T0 } });
  const verdict = state === 'denied' ? 'deny' : 'approve';
  const told = tell({ type: `request.${state}`, request: settled }, T0, [review({ verdict })]);
  expect(told).toMatchObject({ kind: 'decided', text, request: { state, command: null } });
});

test('a request that has lapsed is one that is decided', () => {
  const told = tell({ type: 'request.lapsed', request: request() }, (T0 + hours(1)) as Instant);
  expect(told).toMatchObject({ kind: 'decided', request: { state: 'lapsed', command: null } });
});

test('a grant is told of before its end and at it, with who ended it', () => {
  const at = (T0 + hours(1)) as Instant;
  expect(tell({ type: 'grant.ends_soon', grant: grant() })).toMatchObject({
    kind: 'ends_soon',
    text: 'the access of alice to orders-db ends at 2026-01-01T01:00:00.000Z',
    grant: { reason: null, approvedBy: ['bob'] },
  });
  expect(tell({ type: 'grant.ended', grant: grant() }, at)).toMatchObject({
    kind: 'ended',
    text: 'the access of alice to orders-db has ended: expired',
  });
  const end = { reason: 'revoked', at: T0, by: 'carol', why: 'incident 12' } as const;
  expect(tell({ type: 'grant.ended', grant: grant({ end }) })).toMatchObject({
    text: 'the access of alice to orders-db has ended: revoked by carol',
    grant: { reason: 'revoked', endedBy: 'carol', why: 'incident 12' },
  });
});

test('a lock is told of when it is made and when it goes', () => {
  expect(tell({ type: 'lock.created', lock: lock() })).toMatchObject({
    kind: 'lock',
    text: 'lock on subject corp/spiffe://corp/alice created: incident 3',
    lock: { state: 'created', createdBy: 'host' },
  });
  expect(tell({ type: 'lock.removed', lock: lock() })).toMatchObject({ kind: 'lock', lock: { state: 'removed' } });
});

test('nobody is told of a policy or a session', () => {
  expect(tell({ type: 'policy.loaded', policyDigest: 'x' })).toBeNull();
});
