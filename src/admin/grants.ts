import { returnGrant, revokeGrant } from '../access/end-grant.js';
import { findGrant, grantStanding, listGrants } from '../access/list-grants.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { applied } from './applied.js';
import { answer, ifRevision } from './conditional.js';
import { IDEMPOTENCY_KEY, idempotencyOf } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { NOTHING } from './schemas/fields.js';
import { EndedGrantAnswer, EndingBody, GrantAnswer, GrantPage, GrantQuery, grantView } from './schemas/grant.js';
import { WaitQuery } from './schemas/session.js';
import { readSubject } from './subject-text.js';

const TAG = 'grants';

/** Looking at grants, and ending them early. */
export function addGrantRoutes(app: AdminApp, api: Pick<Api, 'needed' | 'sessions' | 'soleTrust'>): void {
  const { needed } = api;

  app.route({
    method: 'GET',
    url: '/v1/grants',
    schema: {
      ...told(TAG, 'listGrants', 'List grants', 'Newest first: your own, and those you approved.'),
      querystring: GrantQuery,
      response: answers({ 200: GrantPage }, [...ANY_CALL, 'invalid_subject']),
    },
    handler: async (request) => {
      const listing = { name: 'grants', query: request.query, sha256: needed.sha256 };
      const filter = { ...request.query, subject: readSubject(request.query.subject, api) };
      return listPage(listing, (page) => listGrants(needed, actorOf(request), filter, page), grantView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/grants/:id',
    schema: {
      ...told(TAG, 'getGrant', 'Show a grant'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: GrantAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request, reply) => {
      const standing = findGrant(needed, actorOf(request), idOf('gr', request.params));
      return answer(reply, standing.grant.revision, grantView(standing));
    },
  });

  addEnding(app, api, {
    path: '/v1/grants/:id/revoke',
    end: revokeGrant,
    about: told(
      TAG,
      'revokeGrant',
      'Revoke a grant',
      'For whoever approved it, and operators. For good, from now on; its sessions are cut.',
    ),
  });
  addEnding(app, api, {
    path: '/v1/grants/:id/return',
    end: returnGrant,
    about: told(TAG, 'returnGrant', 'Return a grant', 'For its holder. For good, from now on; its sessions are cut.'),
  });
}

interface EndingRoute {
  readonly path: '/v1/grants/:id/revoke' | '/v1/grants/:id/return';
  readonly end: typeof revokeGrant;
  readonly about: ReturnType<typeof told>;
}

function addEnding(
  app: AdminApp,
  { needed, sessions }: Pick<Api, 'needed' | 'sessions'>,
  { path, end, about }: EndingRoute,
): void {
  app.route({
    method: 'POST',
    url: path,
    config: { takes: [IDEMPOTENCY_KEY, 'if-match'], bodyOptional: true },
    schema: {
      ...about,
      querystring: WaitQuery,
      params: IdParams,
      body: EndingBody,
      response: answers({ 200: GrantAnswer, 202: EndedGrantAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...(['not_found', 'idempotency_conflict', 'precondition_failed'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const ending = {
        id: idOf('gr', request.params),
        why: request.body.reason,
        ifRevision: ifRevision(request),
      };
      const ended = await end(needed, actorOf(request), ending, idempotencyOf(request, needed.sha256));
      const view = () => grantView(grantStanding(ended, needed.clock.read().wall));
      return answer(reply, ended.revision, await applied(reply, sessions, request.query, view));
    },
  });
}
