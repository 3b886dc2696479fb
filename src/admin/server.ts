import { fastify, type FastifyInstance } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { printActor } from '../domain/actor.js';
import type { AdminApp, Api } from './api.js';
import { takeStrictBodies } from './body.js';
import { addEntityTags } from './conditional.js';
import { addDraftRoutes } from './drafts.js';
import { addDecisionRoutes } from './decisions.js';
import { serverOptions, type Door } from './door.js';
import { examineCalls } from './examine.js';
import { addEventRoutes } from './events.js';
import { addExplainRoutes } from './explain.js';
import { addGrantRoutes } from './grants.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { addLockRoutes } from './locks.js';
import { addDescriptionRoute, describeApi } from './openapi.js';
import { addOperationRoutes } from './operations.js';
import { addPolicyRoutes } from './policies.js';
import { toProblem } from './problem.js';
import { answerErrors, refuseConnection, sendProblem, type Alarm } from './refusing.js';
import { requestIdOf } from './request-id.js';
import { addRequestRoutes } from './requests.js';
import { addResourceRoutes } from './resources.js';
import { addSessionRoutes } from './sessions.js';
import { addTokenRoutes } from './tokens.js';
import { validatorCompiler } from './validating.js';

/** What the admin API is made of. */
export interface AdminParts extends Api {
  /** How callers come in. Each door is a server of its own. */
  readonly door: Door;
  readonly alarm: Alarm;
  /** Hears of every call that was answered. */
  readonly heard?: (call: Call) => void;
  readonly limits?: Partial<Limits>;
}

/** One answered call, for the log. */
export interface Call {
  readonly id: string;
  /** Null where nobody had to say who they are, or nobody could. */
  readonly actor: string | null;
  readonly method: string;
  /** With `:id` where the path has an id; null for paths there are none of. */
  readonly route: string | null;
  readonly status: number;
  readonly milliseconds: number;
}

/**
 * The HTTP API on one door. It does not listen: that is for whoever opens it, on TCP with TLS, on loopback without, or on
 * a Unix socket that only the host can open.
 */
export function createAdmin(parts: AdminParts): FastifyInstance {
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  const app = fastify({
    ...serverOptions(parts.door, limits),
    bodyLimit: limits.bodyBytes,
    logger: false,
    genReqId: requestIdOf,
    requestIdHeader: false,
    // A call that comes while the service shuts down is refused by our own hook, in our own words.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as never, toProblem(error)),
  }) as unknown as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrors(app, parts.alarm);
  takeStrictBodies(app);
  examineCalls(app, { ...parts, door: parts.door.kind }, limits);
  addEntityTags(app, parts.needed.sha256);
  if (parts.heard) tellCalls(app, parts.heard);
  describeApi(app);
  void app.register(async (scope) => addRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts, limits));
  return app;
}

function addRoutes(app: AdminApp, parts: AdminParts, limits: Limits): void {
  addRequestRoutes(app, parts);
  addDraftRoutes(app, parts);
  addGrantRoutes(app, parts);
  addSessionRoutes(app, parts);
  addLockRoutes(app, parts);
  addDecisionRoutes(app, parts);
  addExplainRoutes(app, parts);
  addTokenRoutes(app, parts);
  addPolicyRoutes(app, parts);
  addResourceRoutes(app, parts);
  addEventRoutes(app, { ...parts, door: parts.door.kind }, limits);
  addOperationRoutes(app, parts);
  addDescriptionRoute(app);
}

function tellCalls(app: FastifyInstance, heard: (call: Call) => void): void {
  app.addHook('onResponse', async ({ id, actor, method, routeOptions }, reply) => {
    heard({
      id,
      actor: actor && printActor(actor),
      method,
      route: routeOptions.url ?? null,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    });
  });
}
