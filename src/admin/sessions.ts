import { cutSession } from '../access/cut-session.js';
import { findSession, listSessions } from '../access/list-sessions.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { applied } from './applied.js';
import { IDEMPOTENCY_KEY, idempotencyOf } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { NOTHING } from './schemas/fields.js';
import {
  CutBody,
  SessionAnswer,
  SessionPage,
  SessionQuery,
  sessionView,
  UnappliedAnswer,
  WaitQuery,
} from './schemas/session.js';
import { readSubject } from './subject-text.js';

const TAG = 'sessions';

const CutAnswer = SessionAnswer.extend({ unapplied: UnappliedAnswer }).meta({ id: 'CutSession' });

/** Looking at what is connected, and cutting it. */
export function addSessionRoutes(app: AdminApp, api: Pick<Api, 'needed' | 'sessions' | 'soleTrust'>): void {
  const needed = { ...api.needed, sessions: api.sessions };

  app.route({
    method: 'GET',
    url: '/v1/sessions',
    schema: {
      ...told(
        TAG,
        'listSessions',
        'List sessions',
        'Live ones, and those that ended in the last ten minutes; newest first.',
      ),
      querystring: SessionQuery,
      response: answers({ 200: SessionPage }, [...ANY_CALL, 'invalid_subject']),
    },
    handler: async (request) => {
      const listing = { name: 'sessions', query: request.query, sha256: needed.sha256 };
      const filter = { ...request.query, subject: readSubject(request.query.subject, api) };
      return listPage(listing, (page) => listSessions(needed, actorOf(request), filter, page), sessionView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/sessions/:id',
    schema: {
      ...told(TAG, 'getSession', 'Show a session'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: SessionAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request) => sessionView(findSession(needed, actorOf(request), idOf('ses', request.params))),
  });

  app.route({
    method: 'POST',
    url: '/v1/sessions/:id/cut',
    config: { takes: [IDEMPOTENCY_KEY], bodyOptional: true },
    schema: {
      ...told(
        TAG,
        'cutSession',
        'Cut a session',
        'For its own person, and operators. Ends no grant: whoever holds it may connect again.',
      ),
      querystring: WaitQuery,
      params: IdParams,
      body: CutBody,
      response: answers({ 200: SessionAnswer, 202: CutAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...(['not_found', 'idempotency_conflict'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const id = idOf('ses', request.params);
      const actor = actorOf(request);
      await cutSession(needed, actor, { id, why: request.body.reason }, idempotencyOf(request, needed.sha256));
      return applied(reply, api.sessions, request.query, () => sessionView(findSession(needed, actor, id)));
    },
  });
}
