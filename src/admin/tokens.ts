import type { FastifyRequest } from 'fastify';
import { findToken, listTokens, tokenStanding } from '../access/list-tokens.js';
import { assertRevision } from '../access/request.js';
import { createToken, revokeToken } from '../access/token.js';
import type { TokenId } from '../domain/ids.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answer, ifRevision } from './conditional.js';
import { IDEMPOTENCY_KEY } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { NOTHING } from './schemas/fields.js';
import { NewTokenAnswer, TokenAnswer, TokenBody, TokenPage, TokenQuery, tokenView } from './schemas/token.js';
import { readSubject } from './subject-text.js';

const TAG = 'tokens';

type Needed = Pick<Api, 'needed' | 'randomSecret' | 'soleTrust'>;

/** Making, listing and revoking bearer tokens. */
export function addTokenRoutes(app: AdminApp, api: Needed): void {
  const { needed, randomSecret } = api;
  const now = () => needed.clock.read().wall;
  addReading(app, api);

  app.route({
    method: 'POST',
    url: '/v1/tokens',
    schema: {
      ...told(
        TAG,
        'createToken',
        'Make a token',
        'For yourself, which needs your client certificate; or for a service, which needs the role admin and whatever roles services of that name have. Service tokens make none. The secret is in this answer and nowhere else, so the call cannot be repeated under an idempotency key.',
      ),
      querystring: NOTHING,
      body: TokenBody,
      response: answers({ 201: NewTokenAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...(['invalid_subject', 'invalid_duration', 'quota_used_up', 'clock_suspect'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const wish = { ...request.body, subject: readSubject(request.body.subject, api) };
      const { token, secret } = await createToken(needed, actorOf(request), wish, randomSecret);
      reply.code(201).header('location', `/v1/tokens/${token.id}`);
      return answer(reply, token.revision, { ...tokenView(tokenStanding(token, now())), secret });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/tokens/:id',
    // Revoking twice is revoking once, with a key or without.
    config: { takes: [IDEMPOTENCY_KEY, 'if-match'] },
    schema: {
      ...told(TAG, 'revokeToken', 'Revoke a token', 'For whom it speaks for, and admins. At once.'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: TokenAnswer }, [...ANY_CHANGE, 'not_found', 'precondition_failed']),
    },
    handler: async (request, reply) => {
      const id = idOf('tok', request.params);
      assertUnchanged(api, id, request);
      const token = await revokeToken(needed, actorOf(request), id);
      return answer(reply, token.revision, tokenView(tokenStanding(token, now())));
    },
  });
}

function addReading(app: AdminApp, { needed }: Needed): void {
  app.route({
    method: 'GET',
    url: '/v1/tokens',
    schema: {
      ...told(TAG, 'listTokens', 'List tokens', 'Newest first: your own; for admins all. Never with their secrets.'),
      querystring: TokenQuery,
      response: answers({ 200: TokenPage }, ANY_CALL),
    },
    handler: async (request) => {
      const listing = { name: 'tokens', query: request.query, sha256: needed.sha256 };
      return listPage(listing, (page) => listTokens(needed, actorOf(request), request.query, page), tokenView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/tokens/:id',
    schema: {
      ...told(TAG, 'getToken', 'Show a token'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: TokenAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request, reply) => {
      const standing = findToken(needed, actorOf(request), idOf('tok', request.params));
      return answer(reply, standing.token.revision, tokenView(standing));
    },
  });
}

/** All that ever happens to a token is what this call asks for, so its revision may be compared before the change. */
function assertUnchanged({ needed }: Needed, id: TokenId, request: FastifyRequest): void {
  const wanted = ifRevision(request);
  if (wanted !== undefined) assertRevision(findToken(needed, actorOf(request), id).token, wanted);
}
