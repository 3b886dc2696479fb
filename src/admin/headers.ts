import type { FastifyRequest } from 'fastify';
import { AccessError } from '../domain/errors.js';

/** Headers that we act on. Sent twice they have two readings, whichever of them a library takes. */
const SINGLE: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-type',
  'host',
  'idempotency-key',
  'if-match',
  'last-event-id',
  'origin',
  'x-request-id',
]);

/** @throws {AccessError} `invalid_request` when a header that we act on is there twice */
export function assertSingleHeaders({ raw: { rawHeaders } }: FastifyRequest): void {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (SINGLE.has(name) && seen.has(name))
      throw new AccessError('invalid_request', `the header ${name} is there twice`);
    seen.add(name);
  }
}

/**
 * Refuses changes that a web page of another origin asks for. A browser adds the user's client certificate to such a
 * call by itself, and a call without a body needs no preflight. Browsers say where a call comes from; scripts do not
 * say anything and are not concerned.
 *
 * @throws {AccessError} `not_permitted`
 */
export function assertSameOrigin({ method, headers, protocol }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD') return;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const foreign = origin !== undefined && origin !== `${protocol}://${host}`;
  if (foreign || (site !== undefined && site !== 'same-origin' && site !== 'none'))
    throw new AccessError('not_permitted', 'changes cannot be asked for by web pages of another origin');
}

/** @throws {AccessError} `invalid_request` for escapes in the query that are no UTF-8: libraries put other text there */
export function assertReadableQuery({ url }: FastifyRequest): void {
  const mark = url.indexOf('?');
  if (mark < 0) return;
  try {
    decodeURIComponent(url.slice(mark + 1));
  } catch {
    throw new AccessError('invalid_request', 'the query holds escapes that are no UTF-8');
  }
}
