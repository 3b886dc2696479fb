import { listResources } from '../access/list-resources.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answers, ANY_CALL, told } from './operation.js';
import { listPage } from './paging.js';
import { ResourcePage, ResourceQuery, resourceView } from './schemas/resource.js';

/** What there is to ask for. */
export function addResourceRoutes(app: AdminApp, { needed, publicHost }: Pick<Api, 'needed' | 'publicHost'>): void {
  app.route({
    method: 'GET',
    url: '/v1/resources',
    schema: {
      ...told(
        'policies',
        'listResources',
        'List resources',
        'By name: those you may ask for, and under which policies.',
      ),
      querystring: ResourceQuery,
      response: answers({ 200: ResourcePage }, ANY_CALL),
    },
    handler: async (request) => {
      const listing = { name: 'resources', query: request.query, sha256: needed.sha256 };
      return listPage(
        listing,
        (page) => listResources(needed, actorOf(request), page),
        (standing) => resourceView(standing, publicHost),
      );
    },
  });
}
