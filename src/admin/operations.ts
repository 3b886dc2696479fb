import { is, ownSubjects } from '../access/rights.js';
import { printActor } from '../domain/actor.js';
import { ROLES } from '../domain/roles.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { answers, ANY_CALL, ANYTHING, told } from './operation.js';
import { readiness } from './readiness.js';
import { NOTHING } from './schemas/fields.js';
import {
  HealthAnswer,
  ReadyAnswer,
  ReadyQuery,
  VersionAnswer,
  WhoamiAnswer,
  whoamiView,
} from './schemas/operations.js';

const TAG = 'operations';

/** What those who run the service ask, and what everybody asks first. */
export function addOperationRoutes(
  app: AdminApp,
  api: Pick<Api, 'needed' | 'version' | 'serving' | 'policiesSettled'>,
): void {
  const { needed, version } = api;
  addProbes(app, api);

  app.route({
    method: 'GET',
    url: '/version',
    config: { open: true },
    schema: {
      ...told(TAG, 'getVersion', 'Which version runs'),
      querystring: NOTHING,
      response: answers({ 200: VersionAnswer }, ANYTHING),
    },
    handler: async () => ({ version, api: 'v1' as const }),
  });

  app.route({
    method: 'GET',
    url: '/v1/whoami',
    schema: {
      ...told(TAG, 'whoami', 'Who you are', 'What the service takes you for, and what that lets you do.'),
      querystring: NOTHING,
      response: answers({ 200: WhoamiAnswer }, ANY_CALL),
    },
    handler: async (request) => {
      const actor = actorOf(request);
      const set = needed.policies.current;
      const roles = ROLES.filter((role) => is(actor, role, set));
      return whoamiView(actor, { name: printActor(actor), subjects: ownSubjects(actor, set), roles });
    },
  });
}

function addProbes(app: AdminApp, api: Pick<Api, 'needed' | 'serving' | 'policiesSettled'>): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { open: true },
    schema: {
      ...told(TAG, 'getHealth', 'Whether the process runs'),
      querystring: NOTHING,
      response: answers({ 200: HealthAnswer }, ANYTHING),
    },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    config: { open: true },
    schema: {
      ...told(TAG, 'getReadiness', 'Whether the service can decide'),
      querystring: ReadyQuery,
      response: answers({ 200: ReadyAnswer, 503: ReadyAnswer }, ANYTHING),
    },
    handler: async (request, reply) => {
      const checks = Object.entries(readiness(api));
      const ready = checks.every(([, ok]) => ok);
      reply.code(ready ? 200 : 503);
      const { verbose = 'false' } = request.query;
      return {
        status: ready ? ('ready' as const) : ('not_ready' as const),
        ...(verbose !== 'false' && {
          checks: Object.fromEntries(checks.map(([name, ok]) => [name, ok ? 'ok' : 'failed'])) as Record<
            keyof ReturnType<typeof readiness>,
            'ok' | 'failed'
          >,
        }),
      };
    },
  });
}
