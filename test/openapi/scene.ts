import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Door } from '../../src/admin/door.js';
import { createAdmin, type AdminParts } from '../../src/admin/server.js';
import { createToken } from '../../src/access/token.js';
import { parseActionPattern } from '../../src/domain/action-pattern.js';
import type { Actor } from '../../src/domain/actor.js';
import type { Policy, PolicySet } from '../../src/domain/policy.js';
import { days } from '../../src/domain/time.js';
import type { Token } from '../../src/domain/token.js';
import type { Store } from '../../src/store/store.js';
import {
  action,
  actorFor,
  billingApi,
  corp,
  group,
  person,
  policy,
  policySet,
  resource,
  subject,
} from '../builders.js';
import { PlayedSessions } from '../guard-service/played-sessions.js';
import { world } from '../world.js';

/** Subjects that no person claims, and that the policy admits all the same. */
export const batchJob = subject('batch/report');
export const batchService = subject('batch/ci');

/**
 * Everybody may ask; bob and carol of sre approve; olga operates, axel audits, ada is admin, and none of these three is in
 * a group. alice has a second certificate.
 */
export function adminPolicies({ policies }: { readonly policies?: readonly Policy[] } = {}): PolicySet {
  const names = ['alice', 'bob', 'carol', 'dave', 'olga', 'axel', 'ada'];
  const batch = {
    trust: 'corp',
    pattern: { kind: 'uri', scheme: 'spiffe://', segments: ['corp', 'batch', '**'] },
  } as const;
  const api = resource({
    name: billingApi,
    actions: new Map([
      [action('read'), [parseActionPattern('GET /**')]],
      [action('admin'), [parseActionPattern('POST /admin/reindex')]],
    ]),
    http: { authority: ['billing.internal'], upstream: '10.0.0.8:8080' },
  });
  return policySet({
    people: {
      ...Object.fromEntries(names.map((name) => [name, [subject(name)]])),
      alice: [subject('alice'), subject('alice-laptop')],
    },
    groups: { everybody: names, sre: ['bob', 'carol'] },
    resources: [resource({ tcp: { port: 15_432, sni: null, upstream: '10.0.0.7:5432', gate: true } }), api],
    policies: policies ?? [policy({ who: { people: [], groups: [group('everybody')], subjects: [batch] } })],
    roles: new Map([
      ['operator', { people: [person('olga')], groups: [], services: [] }],
      ['auditor', { people: [person('axel')], groups: [], services: [] }],
      ['admin', { people: [person('ada')], groups: [], services: [] }],
    ]),
  });
}

/** What came back; `body` is the JSON in it. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it as they like
  readonly body: any;
}

/** What a call has besides method and path. */
export interface CallWith {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const random = () => randomBytes(32);

/** A small service with its admin API on one door, and short words for calling it. */
export function adminScene({
  policies = adminPolicies(),
  store,
  door = { kind: 'plain' },
  limits,
  ...over
}: Partial<Omit<AdminParts, 'needed' | 'door'>> & {
  readonly policies?: PolicySet;
  readonly store?: Store;
  readonly door?: Door;
} = {}) {
  const w = world({ policies, ...(store && { store }) });
  void w.events.load();
  const alarms: unknown[] = [];
  const sessions = new PlayedSessions();
  const parts: AdminParts = {
    needed: w.needed,
    drafts: w.drafts,
    sessions,
    events: w.events,
    // Short enough to wait for its end.
    limits: { streamMs: 60, ...limits },
    identifier: { identify: refuse, identifyDer: refuse },
    randomSecret: random,
    version: '1.2.3',
    serving: () => null,
    policiesSettled: () => true,
    soleTrust: corp,
    publicHost: 'gate.corp.example',
    door,
    alarm: (cause) => alarms.push(cause),
    ...over,
  };
  const app = createAdmin(parts);
  const secrets = new Map<string, string>();

  /** A personal token for somebody, made the way it must be: with that person's certificate. */
  async function secretOf(name: string): Promise<string> {
    const known = secrets.get(name);
    if (known !== undefined) return known;
    const { secret } = await createToken(w.needed, actorFor(name), {}, random);
    secrets.set(name, secret);
    return secret;
  }

  return {
    ...w,
    sessions,
    app,
    parts,
    alarms,
    secretOf,
    /** Calls as that person, or as whoever these credentials are; null calls as nobody. */
    call: async (who: string | null, method: string, url: string, { body, headers }: CallWith = {}) => {
      const credentials = who === null ? {} : { authorization: `Bearer ${await secretOf(who)}` };
      return inject(app, method, url, { body, headers: { ...credentials, ...headers } });
    },
    serviceToken: (name: string, forSubject = batchService): Promise<{ token: Token; secret: string }> =>
      createToken(w.needed, actorFor('ada'), { service: name, subject: forSubject, duration: days(1) }, random),
    /** alice asks, bob approves; gives the id of the grant. */
    grantOf: async (who: string | Actor = 'alice') => {
      const request = await w.ask(who, { subject: typeof who === 'string' ? subject(who) : undefined });
      const { grant } = await w.review(who === 'bob' ? 'carol' : 'bob', request.id);
      return { request, grant: grant! };
    },
  };
}

/** One call without a network. A body that is text or bytes goes out as it is. */
export async function inject(app: FastifyInstance, method: string, url: string, { body, headers }: CallWith = {}) {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  const response = await app.inject({
    method: method as 'GET',
    url,
    headers: { ...(raw && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { payload: body as never }),
  });
  return answered(response.statusCode, response.headers, response.payload);
}

/** Reads what came back, which is JSON or nothing. */
export function answered(status: number, headers: Answered['headers'], payload: string): Answered {
  const isStream = String(headers['content-type']).startsWith('text/event-stream');
  return {
    status,
    headers,
    body: payload === '' ? undefined : isStream ? { items: thingsIn(payload) } : JSON.parse(payload),
  };
}

function refuse(): { readonly effect: 'deny'; readonly reason: 'untrusted_issuer' } {
  return { effect: 'deny', reason: 'untrusted_issuer' };
}

/** What the events of a stream are about, as a list would have it. */
function thingsIn(stream: string): unknown[] {
  return [...stream.matchAll(/^data: (.*)$/gm)].map(([, text]) => {
    const { type: _type, at: _at, ...thing } = JSON.parse(text!) as Record<string, unknown>;
    return Object.values(thing)[0];
  });
}
