import type { Facts, Question } from '../src/domain/decide.js';
import { decide } from '../src/domain/decide.js';
import type { Decision, DenyReason } from '../src/domain/decision.js';
import type { Grant, GrantEnd } from '../src/domain/grant.js';
import { ACCESS } from '../src/domain/resource.js';
import { parseSubjectPattern } from '../src/domain/subject-pattern.js';
import { days, hours } from '../src/domain/time.js';
import {
  action,
  alice,
  at,
  billingApi,
  bob,
  grant,
  lock,
  ordersDb,
  person,
  policy,
  policySet,
  reading,
  requestId,
  resource,
} from './builders.js';

export const HOUR = hours(1);
export const read = action('read');
export const admin = action('admin');

/** What one row of a table asks and wants. */
export interface DecisionRow {
  readonly name: string;
  readonly want: 'allow' | DenyReason;
  /** Milliseconds after the start of the grant; default: half of its hour. */
  readonly now?: number;
  readonly ask?: Partial<Question>;
  readonly given?: Partial<Facts>;
  readonly trusted?: boolean;
}

/** One grant to alice on orders-db over [0, 1 h), asked for half an hour in, unless the row says otherwise. */
export function answerTo({ now, ask, given, trusted }: DecisionRow): 'allow' | DenyReason {
  return word(decide(question(ask), facts(given), reading(now ?? HOUR / 2, trusted)));
}

export const word = (decision: Decision) => (decision.effect === 'allow' ? 'allow' : decision.reason);

/** alice asks for orders-db, with a certificate that is good for the whole day. */
export const question = (over: Partial<Question> = {}): Question => ({
  subject: { is: alice, validUntil: at(days(1)) },
  resource: { is: ordersDb },
  actions: [ACCESS],
  ...over,
});

export const facts = (over: Partial<Facts> = {}): Facts => ({
  policies: policySet(),
  locks: [],
  grants: [grant()],
  pending: [],
  ...over,
});

/** Grants made from different requests, so that their ids differ. */
export const nth = (n: number, over: Partial<Grant> = {}) => grant({ requestId: requestId(n), ...over });
export const ended = (reason: GrantEnd['reason']) => ({ end: { reason, at: at(1), by: 'host', why: '' } });

/** alice is nobody's any more, but a policy admits her subject by name. */
export const withoutAlice = policySet({
  people: { bob: [bob] },
  policies: [
    policy({
      who: {
        people: [],
        groups: [],
        subjects: [{ trust: 'corp', pattern: parseSubjectPattern('spiffe://corp/**') }],
      },
    }),
  ],
});
export const onAlice = lock({ target: { kind: 'person', person: person('alice') } });

/** billing-api has the actions read and admin. */
export const withActions = policySet({
  resources: [resource(), resource({ name: billingApi, actions: new Map([read, admin].map((name) => [name, []])) })],
});
export const askBilling = { resource: { is: billingApi } };
export const onBilling = { resource: billingApi, actions: [read] };
