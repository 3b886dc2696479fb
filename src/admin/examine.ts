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
  const rate = createRateLimit(parts.needed.clock, limits);
  app.decorateRequest('actor', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...PLAIN_HEADERS, 'x-request-id': request.id });
  });
  refuseUnknownRoutes(app);
  app.addHook('onRequest', async (request, reply) => {
    assertOneReading(request);
    if (!request.routeOptions.config.open) admit(request, parts, rate);
    assertWhatItTakes(request, reply);
  });
}

function assertOneReading(request: FastifyRequest): void {
  assertReadableQuery(request);
  assertSingleHeaders(request);
  assertSameOrigin(request);
}

function admit(request: FastifyRequest, parts: Authentication & Pick<Api, 'serving'>, rate: RateLimit): void {
  if (parts.serving() === 'shutting_down')
    throw new AccessError('shutting_down', 'the service is shutting down; try again');
  request.actor = authenticate(parts, request);
  assertNotTooMany(request, rate);
}

/** Reading is free; so is the host, who may have to end a thousand grants at once and could stop the service anyway. */
function assertNotTooMany({ actor, method }: FastifyRequest, rate: RateLimit): void {
  if (actor === null || actor.kind === 'host' || method === 'GET' || method === 'HEAD') return;
  const wait = rate.take(actorKey(actor));
  if (wait === 0) return;
  throw new CallError('too_many_calls', `too many calls; come back in ${wait} s`, { 'retry-after': String(wait) });
}

function assertWhatItTakes(request: FastifyRequest, reply: FastifyReply): void {
  assertHeeded(request);
  assertIdempotencyKey(request);
  assertBodyFits(request, reply);
}
