import { z } from 'zod';
import { parseActionPattern, type ActionPattern } from '../domain/action-pattern.js';
import { AccessError } from '../domain/errors.js';
import { NAME, type TrustName } from '../domain/names.js';
import { canonicalAuthority } from '../domain/resource.js';
import { plainText } from '../domain/text.js';
import { hours } from '../domain/time.js';
import { expected } from './expected.js';
import {
  closed,
  duration,
  flag,
  listOf,
  matching,
  named,
  nonEmptyListOf,
  oneOf,
  parsed,
  text,
  upstream,
  whole,
} from './fields.js';
import { parseClaim, parseWhoPattern } from './subject-text.js';

/** One file of the policy folder. Whether its names exist, and what only shows over all files, is looked at later. */
export function policyFileSchema(trust: readonly TrustName[]) {
  return closed({
    people: named('a person', person(trust), RESERVED_PEOPLE).prefault({}),
    groups: named('a group', listOf('names of people', text('the name of a person'))).prefault({}),
    resources: named('a resource', resource(), RESERVED_RESOURCES).prefault({}),
    policies: named('a policy', policy(trust)).prefault({}),
    roles: closed({ operator: role().optional(), auditor: role().optional(), admin: role().optional() }).prefault({}),
  });
}

export type PolicyFile = z.output<ReturnType<typeof policyFileSchema>>;

/** What the log and the answers call those who are no people. */
const RESERVED_PEOPLE = {
  host: 'is whoever uses the admin socket',
  system: 'is the service itself',
};

const RESERVED_RESOURCES = { 'from-route': 'says that the route names the resource' };

function person(trust: readonly TrustName[]) {
  const claim = parsed('a subject such as spiffe://corp/alice', (input) => parseClaim(input, trust));
  return closed({ subjects: listOf('subjects', claim) });
}

function resource() {
  return closed({
    description: parsed('text', (input) => plainText('a description', input)).prefault(''),
    labels: labels().prefault({}),
    tcp: closed({
      port: whole(1, 65_535),
      sni: matching('a host name in lower case', hostName).optional(),
      upstream: upstream(),
      gate: flag().prefault(true),
    }).optional(),
    http: closed({
      authority: nonEmptyListOf('host names', parsed('a host name', authority)),
      upstream: upstream(),
    }).optional(),
    actions: named('an action', nonEmptyListOf('patterns', parsed('a pattern such as "GET /**"', pattern)))
      .refine((actions) => Object.keys(actions).length > 0, {
        error: 'expected at least one action; without the key actions there is one, called access',
      })
      .optional(),
  });
}

function labels() {
  const key = matching('a key such as env', (input) => (NAME.test(input) ? input : null));
  const value = matching('text of 1 to 63 visible ASCII characters without spaces', (input) =>
    /^[\x21-\x7e]{1,63}$/.test(input) ? input : null,
  );
  return z.record(key, value, { error: (issue) => expected('a mapping from keys to text', issue.input) });
}

function hostName(input: string): string | null {
  return input.length <= 253 && canonicalAuthority(input) === input && !input.startsWith('[') ? input : null;
}

function authority(input: string): string {
  const canonical = canonicalAuthority(input);
  if (canonical === input) return input;
  const hint = canonical ? `; write ${JSON.stringify(canonical)}` : '';
  throw new AccessError('invalid_request', expected('a host name in lower case without port', input) + hint);
}

/** Methods in a fixed order: it means nothing. */
function pattern(input: string): ActionPattern {
  const [methods, path] = input.split(' ', 2);
  return parseActionPattern(
    path === undefined ? input : `${[...new Set(methods!.split(','))].sort().join(',')} ${path}`,
  );
}

function policy(trust: readonly TrustName[]) {
  const subject = parsed('a pattern such as spiffe://corp/batch/*', (input) => parseWhoPattern(input, trust));
  return closed({
    who: closed({ ...people(), subjects: listOf('patterns', subject).prefault([]) }),
    what: closed({
      resources: listOf('names of resources', text('the name of a resource')).prefault([]),
      labels: labels().optional(),
      actions: nonEmptyListOf('names of actions', text('the name of an action')).optional(),
    }),
    duration: closed({ default: duration(), max: duration() }),
    justification: oneOf('required', 'optional').prefault('required'),
    pending: duration().default(hours(1)),
    approval: approval(),
    priority: whole(0, 1_000_000).optional(),
    sessions: closed({ max: whole(1, 100_000).optional(), idle: duration().optional() }).prefault({}),
    onDeny: oneOf('draft').optional(),
    hold: duration().optional(),
  });
}

function approval() {
  const stage = closed({ count: whole(1, 100), from: closed(people()) });
  return z
    .array(stage, { error: (issue) => expected('a list with one stage', issue.input) })
    .refine((stages) => stages.length === 1, {
      error: ({ input }) =>
        `expected exactly one stage, got ${(input as readonly unknown[]).length}; this version supports one stage`,
    });
}

function role() {
  return closed({ ...people(), services: listOf('names of service tokens', text('a name')).prefault([]) });
}

function people() {
  return {
    people: listOf('names of people', text('the name of a person')).prefault([]),
    groups: listOf('names of groups', text('the name of a group')).prefault([]),
  };
}
