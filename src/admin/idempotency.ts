import type { FastifyRequest } from 'fastify';
import type { Idempotency } from '../access/once.js';
import { canonicalJson, type Canonical } from '../domain/canonical.js';
import { AccessError } from '../domain/errors.js';
import type { Sha256 } from '../domain/request.js';

/** The header in which a caller names a call, so that repeating it does nothing twice. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

const KEY = /^[\x20-\x7e]{1,128}$/;

/**
 * What the caller wants to happen once; null when it does not say.
 *
 * @throws {AccessError} `invalid_request`
 */
export function idempotencyOf(request: FastifyRequest, sha256: Sha256): Idempotency | null {
  const key = keyOf(request);
  return key === null ? null : { key, bodyDigest: digestOf(request, sha256) };
}

/** @throws {AccessError} `invalid_request` for a key that is none, also where a call is harmless twice without one */
export function assertIdempotencyKey(request: FastifyRequest): void {
  if (request.routeOptions.config.takes?.includes(IDEMPOTENCY_KEY)) keyOf(request);
}

function keyOf({ headers }: FastifyRequest): string | null {
  const key = headers[IDEMPOTENCY_KEY];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new AccessError('invalid_request', 'expected an Idempotency-Key of 1 to 128 printable ASCII characters');
}

/** Over everything that says what the call is to do. The body has been read by a parser that leaves one spelling. */
function digestOf({ method, routeOptions, params, body, headers }: FastifyRequest, sha256: Sha256): string {
  const call = {
    method,
    route: routeOptions.url ?? '',
    params: { ...(params as Record<string, string>) },
    body: (body ?? null) as Canonical,
    ifMatch: headers['if-match'] ?? null,
  };
  return Buffer.from(sha256(Buffer.from(canonicalJson(call)))).toString('hex');
}
