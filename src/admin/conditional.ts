import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessError } from '../domain/errors.js';
import type { Sha256 } from '../domain/request.js';
import { IDEMPOTENCY_KEY } from './idempotency.js';

declare module 'fastify' {
  interface FastifyReply {
    /** Number of the change that wrote what this answers with; null where that is not one thing. */
    revision: number | null;
  }
  interface FastifyContextConfig {
    /** Which of these headers a mutation acts on; the others are refused there. */
    takes?: readonly ('if-match' | typeof IDEMPOTENCY_KEY)[];
  }
}

/** Answers with one thing in its present revision. */
export function answer<T>(reply: FastifyReply, revision: number, view: T): T {
  reply.revision = revision;
  return view;
}

/**
 * Adds an ETag to every answer that went well, and answers 304 when the caller has it already.
 *
 * A tag is `"<revision>-<hash>"`: the revision is what `If-Match` looks at; the hash changes also when time, reviews or
 * policies have changed what is shown while the record itself is the same.
 */
export function addEntityTags(app: FastifyInstance, sha256: Sha256): void {
  app.decorateReply('revision', null);
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string' || reply.statusCode >= 300 || request.routeOptions.config.open) return payload;
    const tag = tagOf(reply.revision, payload, sha256);
    reply.header('etag', tag);
    const reading = request.method === 'GET' || request.method === 'HEAD';
    if (!reading || !holds(request.headers['if-none-match'], tag)) return payload;
    reply.code(304).removeHeader('content-type').removeHeader('content-length');
    // For HEAD the framework itself takes the body away, and tells its length as for 200.
    return request.method === 'HEAD' ? payload : null;
  });
}

/**
 * The revision that the caller has seen; undefined when any will do.
 *
 * @throws {AccessError} `invalid_request`
 */
export function ifRevision({ headers }: FastifyRequest): number | undefined {
  const given = headers['if-match'];
  if (given === undefined || given === '*') return undefined;
  const [, tag] = /^"([\x21\x23-\x7e]*)"$/.exec(given) ?? [];
  if (tag === undefined)
    throw new AccessError('invalid_request', `expected If-Match with exactly one ETag, got ${JSON.stringify(given)}`);
  // A tag that we never made matches nothing.
  return Number(/^(0|[1-9]\d{0,14})(?:-|$)/.exec(tag)?.[1] ?? -1);
}

/** @throws {AccessError} `invalid_request` for a condition or key that the route would not heed */
export function assertHeeded({ method, headers, routeOptions }: FastifyRequest): void {
  const takes: readonly string[] = routeOptions.config.takes ?? [];
  const reading = method === 'GET' || method === 'HEAD';
  const conditions = reading ? ['if-match'] : ['if-match', 'if-none-match', IDEMPOTENCY_KEY];
  const unheeded = conditions.find((name) => headers[name] !== undefined && !takes.includes(name));
  if (unheeded !== undefined)
    throw new AccessError('invalid_request', `this call does not heed the header ${unheeded}; leave it out`);
}

function tagOf(revision: number | null, payload: string, sha256: Sha256): string {
  const hash = Buffer.from(sha256(Buffer.from(payload)))
    .toString('base64url')
    .slice(0, 22);
  return revision === null ? `"${hash}"` : `"${revision}-${hash}"`;
}

/** Weak comparison, as RFC 9110 has it for reading. */
function holds(given: string | undefined, tag: string): boolean {
  if (given === undefined) return false;
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
