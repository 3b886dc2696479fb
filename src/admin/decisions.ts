import { findDecision } from '../access/explain.js';
import { listDecisions } from '../access/list-decisions.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answers, ANY_CALL, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { DecisionAnswer, DecisionPage, DecisionQuery, decisionView } from './schemas/decision.js';
import { NOTHING } from './schemas/fields.js';
import { readSubject } from './subject-text.js';

const TAG = 'decisions';

/** Looking up what checks were answered with. */
export function addDecisionRoutes(app: AdminApp, api: Pick<Api, 'needed' | 'soleTrust'>): void {
  const { needed } = api;

  app.route({
    method: 'GET',
    url: '/v1/decisions',
    schema: {
      ...told(TAG, 'listDecisions', 'List decisions', 'Newest first: about your own subjects; for auditors all.'),
      querystring: DecisionQuery,
      response: answers({ 200: DecisionPage }, [...ANY_CALL, 'invalid_subject']),
    },
    handler: async (request) => {
      const listing = { name: 'decisions', query: request.query, sha256: needed.sha256 };
      const filter = { ...request.query, subject: readSubject(request.query.subject, api) };
      return listPage(listing, (page) => listDecisions(needed, actorOf(request), filter, page), decisionView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/decisions/:id',
    schema: {
      ...told(TAG, 'getDecision', 'Show a decision'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: DecisionAnswer }, [...ANY_CALL, 'not_found']),
    },
    handler: async (request) => decisionView(findDecision(needed, actorOf(request), idOf('dec', request.params))),
  });
}
