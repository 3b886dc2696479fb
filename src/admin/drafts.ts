import { draftStanding, findDraft, listDrafts } from '../access/list-drafts.js';
import { requestStanding } from '../access/list-requests.js';
import { dismissDraft, submitDraft } from '../access/submit-draft.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answer } from './conditional.js';
import { IDEMPOTENCY_KEY, idempotencyOf } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { DraftAnswer, DraftPage, DraftQuery, draftView, SubmitBody } from './schemas/draft.js';
import { NOTHING } from './schemas/fields.js';
import { RequestAnswer, requestView } from './schemas/request.js';
import { readSubject } from './subject-text.js';

const TAG = 'drafts';

type Needed = Pick<Api, 'needed' | 'drafts' | 'soleTrust'>;

/** What refused connections have left: looking at it, submitting it, throwing it away. */
export function addDraftRoutes(app: AdminApp, api: Needed): void {
  const needed = { ...api.needed, drafts: api.drafts };
  addReading(app, api);

  app.route({
    method: 'POST',
    url: '/v1/drafts/:id/submit',
    config: { takes: [IDEMPOTENCY_KEY], bodyOptional: true },
    schema: {
      ...told(
        TAG,
        'submitDraft',
        'Ask for what was refused',
        'Makes a request of the draft, which is gone with that. Only its own person can.',
      ),
      querystring: NOTHING,
      params: IdParams,
      body: SubmitBody,
      response: answers({ 201: RequestAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...(['invalid_duration', 'not_found', 'no_policy', 'justification_required', 'too_many_pending'] as const),
        ...(['quota_used_up', 'idempotency_conflict', 'clock_suspect'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const submission = { ...request.body, id: idOf('dft', request.params) };
      const idempotency = idempotencyOf(request, needed.sha256);
      const made = await submitDraft(needed, actorOf(request), submission, idempotency);
      reply.code(201).header('location', `/v1/requests/${made.id}`);
      const standing = requestStanding(needed, made.id);
      return answer(reply, standing.request.revision, requestView(standing));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/drafts/:id',
    config: { takes: [IDEMPOTENCY_KEY] },
    schema: {
      ...told(
        TAG,
        'dismissDraft',
        'Throw a draft away',
        'Only its own person can. The next refusal leaves another one.',
      ),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: DraftAnswer }, [...ANY_CHANGE, 'not_found', 'idempotency_conflict']),
    },
    handler: async (request) => {
      const id = idOf('dft', request.params);
      const dismissed = await dismissDraft(needed, actorOf(request), id, idempotencyOf(request, needed.sha256));
      return draftView(draftStanding(dismissed, needed.policies.current));
    },
  });
}

function addReading(app: AdminApp, api: Needed): void {
  const needed = { ...api.needed, drafts: api.drafts };

  app.route({
    method: 'GET',
    url: '/v1/drafts',
    schema: {
      ...told(
        TAG,
        'listDrafts',
        'List drafts',
        "By their first refusal, newest first: your own; everybody's for auditors and operators.",
      ),
      querystring: DraftQuery,
      response: answers({ 200: DraftPage }, [...ANY_CALL, 'invalid_subject']),
    },
    handler: async (request) => {
      const listing = { name: 'drafts', query: request.query, sha256: needed.sha256 };
      const filter = { ...request.query, subject: readSubject(request.query.subject, api) };
      await needed.drafts.written();
      return listPage(listing, (page) => listDrafts(needed, actorOf(request), filter, page), draftView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/drafts/:id',
    schema: {
      ...told(TAG, 'getDraft', 'Show a draft'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: DraftAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request) => draftView(await findDraft(needed, actorOf(request), idOf('dft', request.params))),
  });
}
