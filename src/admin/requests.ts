import type { FastifyReply } from 'fastify';
import { findRequest, listRequests, requestStanding } from '../access/list-requests.js';
import { submitRequest, withdrawRequest } from '../access/request.js';
import { giveReview } from '../access/review.js';
import type { RequestId } from '../domain/ids.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answer, ifRevision } from './conditional.js';
import { IDEMPOTENCY_KEY, idempotencyOf } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { NOTHING } from './schemas/fields.js';
import { RequestAnswer, RequestBody, RequestPage, RequestQuery, requestView, ReviewBody } from './schemas/request.js';
import { readSubject } from './subject-text.js';

const TAG = 'requests';

/** Asking for access, reviewing, withdrawing. */
export function addRequestRoutes(app: AdminApp, api: Pick<Api, 'needed' | 'soleTrust'>): void {
  const { needed } = api;
  // As it stands now, also for a repeated call that changed nothing this time.
  const answerWith = (reply: FastifyReply, id: RequestId) => {
    const standing = requestStanding(needed, id);
    return answer(reply, standing.request.revision, requestView(standing));
  };
  addReading(app, api);

  app.route({
    method: 'POST',
    url: '/v1/requests',
    config: { takes: [IDEMPOTENCY_KEY] },
    schema: {
      ...told(TAG, 'submitRequest', 'Ask for access', 'An identical request that still waits is returned instead.'),
      querystring: NOTHING,
      body: RequestBody,
      response: answers({ 201: RequestAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...([
          'invalid_subject',
          'invalid_duration',
          'not_found',
          'no_policy',
          'choose_policy',
          'choose_subject',
          'justification_required',
        ] as const),
        ...(['too_many_pending', 'quota_used_up', 'idempotency_conflict', 'clock_suspect'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const wish = { ...request.body, subject: readSubject(request.body.subject, api) };
      const made = await submitRequest(needed, actorOf(request), wish, idempotencyOf(request, needed.sha256));
      reply.code(201).header('location', `/v1/requests/${made.id}`);
      return answerWith(reply, made.id);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/requests/:id/reviews',
    config: { takes: [IDEMPOTENCY_KEY, 'if-match'] },
    schema: {
      ...told(
        TAG,
        'reviewRequest',
        'Approve or deny',
        'Answers with the request. The deciding approval makes the grant.',
      ),
      querystring: NOTHING,
      params: IdParams,
      body: ReviewBody,
      response: answers({ 201: RequestAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...(['self_review', 'not_found', 'already_decided', 'digest_mismatch', 'policy_changed'] as const),
        ...(['idempotency_conflict', 'precondition_failed', 'clock_suspect'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const requestId = idOf('req', request.params);
      const verdict = { ...request.body, requestId, ifRevision: ifRevision(request) };
      await giveReview(needed, actorOf(request), verdict, idempotencyOf(request, needed.sha256));
      reply.code(201).header('location', `/v1/requests/${requestId}`);
      return answerWith(reply, requestId);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/requests/:id/withdraw',
    config: { takes: [IDEMPOTENCY_KEY, 'if-match'] },
    schema: {
      ...told(TAG, 'withdrawRequest', 'Take a request back', 'Only its own person can.'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: RequestAnswer }, [
        ...ANY_CHANGE,
        ...(['not_found', 'already_decided', 'idempotency_conflict', 'precondition_failed'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const wish = { id: idOf('req', request.params), ifRevision: ifRevision(request) };
      const withdrawn = await withdrawRequest(needed, actorOf(request), wish, idempotencyOf(request, needed.sha256));
      return answerWith(reply, withdrawn.id);
    },
  });
}

function addReading(app: AdminApp, api: Pick<Api, 'needed' | 'soleTrust'>): void {
  const { needed } = api;

  app.route({
    method: 'GET',
    url: '/v1/requests',
    schema: {
      ...told(
        TAG,
        'listRequests',
        'List requests',
        'Newest first: your own, and those you may review. Of many reviewers only the first 20 are named.',
      ),
      querystring: RequestQuery,
      response: answers({ 200: RequestPage }, [...ANY_CALL, 'invalid_subject']),
    },
    handler: async (request) => {
      const listing = { name: 'requests', query: request.query, sha256: needed.sha256 };
      const filter = { ...request.query, subject: readSubject(request.query.subject, api) };
      return listPage(listing, (page) => listRequests(needed, actorOf(request), filter, page), requestView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/requests/:id',
    schema: {
      ...told(TAG, 'getRequest', 'Show a request'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: RequestAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request, reply) => {
      const standing = findRequest(needed, actorOf(request), idOf('req', request.params));
      return answer(reply, standing.request.revision, requestView(standing));
    },
  });
}
