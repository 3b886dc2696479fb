import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { actorKey } from '../domain/actor.js';
import { AccessError } from '../domain/errors.js';
import type { Api } from './api.js';
import { authenticate, type Authentication } from './authenticate.js';
import { assertBodyFits } from './body.js';
import { assertHeeded } from './conditional.js';
import { assertReadableQuery, assertSameOrigin, assertSingleHeaders } from './headers.js';
import { assertIdempotencyKey } from './idempotency.js';
import type { Limits } from './limits.js';
import { refuseUnknownRoutes } from './methods.js';
import { CallError } from './problem.js';
import { createRateLimit, type RateLimit } from './rate-limit.js';
import { PLAIN_HEADERS } from './refusing.js';

/**
 * Examines everything that is known of a call before its body is read: whether there is such a route, whether the call
 * has one reading, who makes it, whether it is one too many. The first thing wrong is the answer. A route that does not
 * say that it is open needs an actor.
 */
export function examineCalls(
  app: FastifyInstance,
  parts: Authentication & Pick<Api, 'needed' | 'serving'>,
  limits: Limits,
): void {
  const { clock } = parts.needed;
  const rates: Rates = {
    changes: createRateLimit(clock, limits),
    reads: createRateLimit(clock, { burst: limits.readBurst, perSecond: limits.readsPerSecond }),
  };
  app.decorateRequest('actor', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...PLAIN_HEADERS, 'x-request-id': request.id });
  });
  refuseUnknownRoutes(app);
  app.addHook('onRequest', async (request, reply) => {
    assertOneReading(request);
    if (!request.routeOptions.config.open) admit(request, parts, rates);
    assertWhatItTakes(request, reply);
  });
}

function assertOneReading(request: FastifyRequest): void {
  assertReadableQuery(request);
  assertSingleHeaders(request);
  assertSameOrigin(request);
}

function admit(request: FastifyRequest, parts: Authentication & Pick<Api, 'serving'>, rates: Rates): void {
  if (parts.serving() === 'shutting_down')
    throw new AccessError('shutting_down', 'the service is shutting down; try again');
  request.actor = authenticate(parts, request);
  assertNotTooMany(request, rates);
}

/** Reading is counted apart, so that whoever looks too often can still change something. */
interface Rates {
  readonly changes: RateLimit;
  readonly reads: RateLimit;
}

/** The host is not limited: it may have to end a thousand grants at once, and could stop the service anyway. */
function assertNotTooMany({ actor, method }: FastifyRequest, { changes, reads }: Rates): void {
  if (actor === null || actor.kind === 'host') return;
  const wait = (method === 'GET' || method === 'HEAD' ? reads : changes).take(actorKey(actor));
  if (wait === 0) return;
  throw new CallError('too_many_calls', `too many calls; come back in ${wait} s`, { 'retry-after': String(wait) });
}

function assertWhatItTakes(request: FastifyRequest, reply: FastifyReply): void {
  assertHeeded(request);
  assertIdempotencyKey(request);
  assertBodyFits(request, reply);
}
