import type { z } from 'zod';
import { explain } from '../access/explain.js';
import type { Question } from '../domain/decide.js';
import { deny } from '../domain/decision.js';
import { AccessError } from '../domain/errors.js';
import { httpActions } from '../domain/http-actions.js';
import type { ResourceName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { ACCESS, canonicalAuthority } from '../domain/resource.js';
import { parseSubject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { identifyShown } from '../identity/identify.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answers, ANY_BODY, ANY_CALL, told } from './operation.js';
import { ExplainBody, ExplanationAnswer, explanationView } from './schemas/explanation.js';
import { NOTHING } from './schemas/fields.js';

type Asked = z.output<typeof ExplainBody>;
type Needed = Pick<Api, 'needed' | 'drafts' | 'identifier' | 'soleTrust'>;

/** Asking what a check would come to, and why. */
export function addExplainRoutes(app: AdminApp, api: Needed): void {
  const { needed } = api;
  app.route({
    method: 'POST',
    url: '/v1/explain',
    schema: {
      ...told(
        'decisions',
        'explain',
        'Explain what a check would come to',
        'Give a certificate or a subject, and a resource or an authority; for HTTP also method and path. Changes nothing. About others only for auditors and operators.',
      ),
      querystring: NOTHING,
      body: ExplainBody,
      response: answers({ 200: ExplanationAnswer }, [
        ...ANY_CALL,
        ...ANY_BODY,
        ...(['not_permitted', 'invalid_subject'] as const),
      ]),
    },
    handler: async (request) => {
      await api.drafts.written();
      const now = needed.clock.read().wall;
      return explanationView(explain(needed, actorOf(request), questionOf(request.body, api, now)), now);
    },
  });
}

/** The question as the door for Envoy would put it, from what a person knows. */
function questionOf(asked: Asked, api: Needed, now: Instant): Question {
  const policies = api.needed.policies.current;
  const subject = subjectOf(asked, api, now);
  const resource = resourceOf(asked, policies);
  const actions = 'effect' in resource ? resource : actionsOf(asked, resource.is, policies);
  return { subject, resource, actions, source: asked.source ?? null };
}

/** No certificate ends before this: when only a subject is named, only grants end. */
const NEVER = Number.MAX_SAFE_INTEGER as Instant;

function subjectOf(
  { certificate, subject }: Asked,
  { identifier, soleTrust }: Needed,
  now: Instant,
): Question['subject'] {
  assertOne({ certificate, subject });
  if (certificate === undefined) return { is: parseSubject(subject ?? '', soleTrust), validUntil: NEVER };
  const identity = identifyShown(identifier, certificate, now);
  return 'effect' in identity ? identity : { is: identity.subject, validUntil: identity.validUntil, key: identity.key };
}

function resourceOf({ resource, authority }: Asked, policies: PolicySet): Question['resource'] {
  assertOne({ resource, authority });
  const name = resource ?? resourceAt(authority ?? '', policies);
  return name !== undefined && policies.resources.has(name) ? { is: name } : deny('unknown_resource');
}

function resourceAt(authority: string, { resources }: PolicySet): ResourceName | undefined {
  const canonical = canonicalAuthority(authority);
  if (canonical === null) return undefined;
  return [...resources.values()].find(({ http }) => http?.authority.includes(canonical))?.name;
}

function actionsOf(
  { method, path, upgrade = false }: Asked,
  name: ResourceName,
  policies: PolicySet,
): Question['actions'] {
  if ((method === undefined) !== (path === undefined) || (upgrade && method === undefined))
    throw new AccessError('invalid_request', 'give method and path together, and upgrade only with them');
  const resource = policies.resources.get(name);
  if (!resource) return deny('unknown_resource');
  if (method !== undefined && path !== undefined) return httpActions(resource, { method, path, upgrade });
  if (resource.actions.size === 0) return [ACCESS];
  throw new AccessError('invalid_request', `${name} has actions of its own; give the method and the path of a request`);
}

function assertOne(alternatives: Readonly<Record<string, unknown>>): void {
  const given = Object.values(alternatives).filter((value) => value !== undefined);
  if (given.length === 1) return;
  throw new AccessError(
    'invalid_request',
    `give either ${Object.keys(alternatives).join(' or ')}, exactly one of them`,
  );
}
