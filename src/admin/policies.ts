import { listPolicies } from '../access/list-policies.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answers, ANY_CALL, told } from './operation.js';
import { listPage } from './paging.js';
import { PolicyPage, PolicyQuery, policyView } from './schemas/policy.js';

/** Reading the policies in force. They are changed in the policy folder alone. */
export function addPolicyRoutes(app: AdminApp, { needed }: Pick<Api, 'needed'>): void {
  app.route({
    method: 'GET',
    url: '/v1/policies',
    schema: {
      ...told(
        'policies',
        'listPolicies',
        'List policies',
        'By name: what each admits, for how long, and who approves.',
      ),
      querystring: PolicyQuery,
      response: answers({ 200: PolicyPage }, [...ANY_CALL, 'not_permitted']),
    },
    handler: async (request) => {
      const listing = { name: 'policies', query: request.query, sha256: needed.sha256 };
      return listPage(listing, (page) => listPolicies(needed, actorOf(request), request.query, page), policyView);
    },
  });
}
