import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  action,
  alice,
  at,
  billingApi,
  bob,
  person,
  prodData,
  request,
  requestId,
  runs,
  sha256,
  T0,
} from '../../test/builders.js';
import { isId } from './ids.js';
import type { PolicyName } from './names.js';
import {
  canonicalRequest,
  grantIdOf,
  requestDigest,
  requestStateOf,
  REQUEST_STATES,
  type RequestContent,
} from './request.js';
import { minutes } from './time.js';

describe('requestStateOf()', () => {
  const waiting = request({ lapsesAt: at(10) });
  test('pending until it lapses, and lapsed at that instant', () => {
    expect([at(0), at(9), at(10), at(11)].map((now) => requestStateOf(waiting, now))).toEqual([
      'pending',
      'pending',
      'lapsed',
      'lapsed',
    ]);
  });

  test.for(['approved', 'denied', 'withdrawn'] as const)('settled stays settled: %s', (state) => {
    const settled = { ...waiting, settled: { state, at: at(5) } };
    for (const now of [0, 5, 10, 99]) expect(requestStateOf(settled, at(now))).toBe(state);
    expect(REQUEST_STATES).toContain(state);
  });

  test('a time that is no number finds nothing pending', () => {
    expect(requestStateOf(waiting, at(Number.NaN))).toBe('lapsed');
  });
});

/** Every field of a request's content, each with another value than `request()` gives it. */
const OTHER: RequestContent = {
  id: requestId(2),
  subject: bob,
  person: person('bob'),
  askedBy: 'service:ci',
  resource: billingApi,
  actions: [action('read')],
  patterns: { [action('read')]: ['GET /**'] },
  duration: minutes(59),
  justification: 'ticket 8',
  policy: 'other' as PolicyName,
  policyDigest: 'e'.repeat(64),
  createdAt: at(1),
  lapsesAt: at(2),
};

describe('the digest', () => {
  const digestOf = (over: Partial<RequestContent> = {}) => requestDigest(request(over), sha256);

  test.for(Object.keys(OTHER) as (keyof RequestContent)[])('is another one when %s is', (field) => {
    expect(digestOf({ [field]: OTHER[field] })).not.toBe(digestOf());
  });

  test('is another one for another order of the actions, and for one more', () => {
    const [read, write] = [action('read'), action('write')];
    const digests = [[read], [write], [read, write], [write, read], []].map((actions) => digestOf({ actions }));
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('cannot be met by moving text from one field to the next', () => {
    const a = digestOf({ justification: 'x","policy":"y', policy: 'z' as PolicyName });
    const b = digestOf({ justification: 'x', policy: 'y","policy":"z' as PolicyName });
    expect(a).not.toBe(b);
  });

  test('is the same for the same content, and does not depend on state', () => {
    const settled = request({ settled: { state: 'denied', at: T0 }, revision: 9 });
    expect(requestDigest(settled, sha256)).toBe(digestOf());
    const turned = Object.fromEntries(Object.entries(request()).toReversed()) as unknown as RequestContent;
    expect(requestDigest(turned, sha256)).toBe(digestOf());
  });

  test('is 64 digits, of the bytes that are shown to reviewers', () => {
    expect(digestOf()).toMatch(/^[0-9a-f]{64}$/);
    expect(Buffer.from(sha256(canonicalRequest(request()))).toString('hex')).toBe(digestOf());
  });

  test('of different contents is different', () => {
    const someContent = fc.record({
      justification: fc.string(),
      createdAt: fc.integer({ min: 0, max: 3 }).map(at),
      subject: fc.constantFrom(alice, bob),
      actions: fc.subarray(['read', 'write'].map(action)),
    });
    fc.assert(
      fc.property(someContent, someContent, (a, b) => {
        expect(digestOf(a) === digestOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      runs(200),
    );
  });
});

test('the bytes say everything, in canonical order and with a version', () => {
  const text = new TextDecoder().decode(canonicalRequest(request({ justification: 'é "' })));
  expect(text).toBe(
    `{"actions":["access"],"askedBy":"alice","createdAt":${T0},"duration":3600000,"id":"${requestId()}","justification":"é \\"",` +
      `"lapsesAt":${T0 + 3_600_000},"patterns":{},"person":"alice","policy":"${prodData}","policyDigest":"${'d'.repeat(64)}",` +
      `"resource":"orders-db","subject":"corp/spiffe://corp/alice","v":1}`,
  );
});

describe('grantIdOf()', () => {
  const digest = '80000000000000000000000000000000ffffffffffffffffffffffffffffffff';

  test('is the first half of the digest', () => {
    expect(grantIdOf(digest)).toBe('gr_40000000000000000000000000');
    expect(isId('gr', grantIdOf(digest))).toBe(true);
    expect(grantIdOf(digest.replace('80', '81'))).not.toBe(grantIdOf(digest));
  });

  test.for([
    ['nothing', ''],
    ['a short one', 'ab'.repeat(31)],
    ['a long one', 'ab'.repeat(33)],
    ['upper case', 'AB'.repeat(32)],
    ['no digits', 'xy'.repeat(32)],
    ['a line feed at the end', `${'ab'.repeat(32)}\n`],
  ] as const)('there is none for %s', ([, text]) => {
    expect(() => grantIdOf(text)).toThrow(RangeError);
  });
});
