import type { Asked } from '../access/check.js';
import type { Question } from '../domain/decide.js';
import { deny, type Deny } from '../domain/decision.js';
import { httpActions } from '../domain/http-actions.js';
import { NAME, type ActionName, type ResourceName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { ACCESS, canonicalAuthority, type Resource } from '../domain/resource.js';
import type { Instant } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import type { Audience } from './answer.js';
import type { CheckRequest, HttpRequest } from './check-request.js';

/** What a CheckRequest is read against. */
export interface Reading {
  readonly policies: PolicySet;
  readonly identifier: Identifier;
  /** Name of the internal listener whose identity headers are believed; null when there is no gate. */
  readonly gate: string | null;
  readonly now: Instant;
}

/** What the filter's own configuration says in gRPC metadata, `x-portcullis-resource`. Clients cannot reach it. */
export type NamedByFilter = readonly string[];

/** Envoy to us. Never throws: what cannot be read stands in the question as a deny. */
export function toAsked(
  request: CheckRequest,
  named: NamedByFilter,
  reading: Reading,
): Asked & { readonly audience: Audience } {
  const gated = request.identity === 'gate';
  const resource = resourceOf(request, named, reading.policies);
  const source = gated ? (request.http?.headers['x-portcullis-source'] ?? null) : request.sourceAddress;
  const question: Question = {
    subject: subjectOf(request, reading),
    resource,
    actions: 'effect' in resource ? resource : actionsOf(request, reading.policies.resources.get(resource.is), gated),
    source,
  };
  return {
    question,
    source,
    request: request.http && !gated ? describe(request.http) : null,
    audience: audienceOf(request.http),
  };
}

function subjectOf(request: CheckRequest, { identifier, gate, now }: Reading): Question['subject'] {
  const certificate = certificateOf(request, gate);
  if (typeof certificate !== 'string') return certificate;
  const identity = identifier.identify(certificate, now);
  return 'effect' in identity ? identity : { is: identity.subject, validUntil: identity.validUntil, key: identity.key };
}

/**
 * The peer certificate as received. Behind the gate it travels in a header, which is believed only where the route
 * says so and the request arrived at the gate's own internal listener: a network client can reach neither.
 */
function certificateOf(request: CheckRequest, gate: string | null): string | Deny {
  if (request.identity === 'gate') {
    if (gate === null) return deny('malformed', { message: GATE_MISSING });
    if (request.internalListener !== gate) return deny('malformed', { message: GATE_ELSEWHERE });
    return request.http?.headers['x-portcullis-peer'] || deny('no_certificate');
  }
  if (request.identity !== null)
    return deny('malformed', { message: 'portcullis.identity in context_extensions must be "gate" or absent' });
  if (request.certificate !== '') return request.certificate;
  if (request.hasPrincipal)
    return deny('no_certificate', { message: 'set include_peer_certificate: true in the ext_authz filter' });
  if (request.internalListener !== null) {
    return deny('no_certificate', {
      message: 'set portcullis.identity: gate in the context_extensions of the route behind the gate',
    });
  }
  return deny('no_certificate');
}

const GATE_MISSING =
  'the setting "gate" is missing in the configuration of the service: it names the internal listener behind which raw TCP is judged';
const GATE_ELSEWHERE =
  'a route with portcullis.identity: gate must lie behind the internal listener that the setting "gate" names';

/** The filter's value for "the route names it". */
const FROM_ROUTE = 'from-route';

/** Envoy's configuration names the resource, clients never do: not by SNI at all, by authority only where nothing else is configured. */
function resourceOf(
  request: CheckRequest,
  named: NamedByFilter,
  policies: PolicySet,
): { readonly is: ResourceName } | Deny {
  const [byFilter, second] = named;
  const byRoute = request.resource;
  if (
    second !== undefined ||
    (byRoute !== null && byFilter !== undefined && byFilter !== FROM_ROUTE && byFilter !== byRoute)
  ) {
    return deny('ambiguous_resource');
  }
  const name = byRoute ?? (byFilter === FROM_ROUTE ? undefined : byFilter);
  if (name === NONE_OF_THEM) return nowhere(request.http?.host ?? '', policies);
  if (name !== undefined) return known(name, policies) ?? gone(name);
  if (byFilter === FROM_ROUTE)
    return deny('unknown_resource', { message: 'set portcullis.resource in the context_extensions of the route' });
  if (request.http === null || request.identity !== null) {
    return deny('unknown_resource', { message: 'set x-portcullis-resource in the initial_metadata of the filter' });
  }
  const authority = canonicalAuthority(request.http.host);
  return (authority !== null && authorities(policies).get(authority)) || deny('unknown_resource');
}

/** What the route says that takes whatever no resource is reached as. No resource can be called that. */
const NONE_OF_THEM = '*';

/** Of a host; whatever is longer is not repeated. */
const LONGEST_NAME = 253;

/** The client has used a name that Envoy knows no resource by. */
function nowhere(host: string, policies: PolicySet): Deny {
  const authority = canonicalAuthority(host);
  if (authority === null || authority.length > LONGEST_NAME) return deny('unknown_resource');
  const message = authorities(policies).has(authority)
    ? `Envoy does not know "${authority}" yet: write its configuration anew with portcullis envoy config`
    : `no resource is reached as "${authority}"; see authority in the policy folder`;
  return deny('unknown_resource', { message });
}

/** Envoy knows a resource that the policies do not: one of the two has changed, and the other one not yet. */
function gone(name: string): Deny {
  if (!NAME.test(name)) return deny('unknown_resource');
  return deny('unknown_resource', {
    message: `the policies in force have no resource "${name}"; they may have changed`,
  });
}

function known(name: string, policies: PolicySet): { readonly is: ResourceName } | undefined {
  return policies.resources.has(name as ResourceName) ? { is: name as ResourceName } : undefined;
}

function actionsOf(
  { http }: CheckRequest,
  resource: Resource | undefined,
  gated: boolean,
): readonly ActionName[] | Deny {
  if (!resource) return [ACCESS];
  // Of raw TCP nobody can tell which action it is, and the whole resource is more than any one of them.
  if (http === null || gated) return resource.actions.size === 0 ? [ACCESS] : [];
  return httpActions(resource, { method: http.method, path: http.path, upgrade: isUpgrade(http) });
}

/** As Envoy's connection manager tells it, so that both read the same request the same way. */
function isUpgrade({ headers }: HttpRequest): boolean {
  if (!headers.upgrade) return false;
  const tokens = (headers.connection ?? '').toLowerCase().split(',');
  return tokens.some((token) => token.trim() === 'upgrade');
}

/** The path without its query, which often holds secrets; cut, and only printable ASCII. */
function describe({ method, path }: HttpRequest): string {
  const query = path.indexOf('?');
  const line = `${method} ${query < 0 ? path : path.slice(0, query)}`.slice(0, 512);
  if (!UNPRINTABLE.test(line)) return line;
  return line.replaceAll(
    new RegExp(UNPRINTABLE, 'g'),
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const UNPRINTABLE = /[^\x20-\x7e]/;

function audienceOf(http: HttpRequest | null): Audience {
  if (http === null) return 'tcp';
  // For gRPC Envoy itself turns the answer into a grpc-status, with the body as its message.
  return /\bapplication\/(?:problem\+)?json\b/.test(http.headers.accept ?? '') ? 'json' : 'text';
}

const byAuthority = new WeakMap<PolicySet, ReadonlyMap<string, { readonly is: ResourceName }>>();

/** Computed once per policy set. */
function authorities(policies: PolicySet): ReadonlyMap<string, { readonly is: ResourceName }> {
  const known = byAuthority.get(policies);
  if (known) return known;
  const pairs = [...policies.resources.values()].flatMap(({ name, http }) =>
    (http?.authority ?? []).map((one) => [one, { is: name }] as const),
  );
  const made = new Map(pairs);
  byAuthority.set(policies, made);
  return made;
}
