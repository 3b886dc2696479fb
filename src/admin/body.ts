import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessError } from '../domain/errors.js';
import { CallError, InputError } from './problem.js';
import { JsonError, parseStrictJson } from './strict-json.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may be left out; it then has no fields. */
    bodyOptional?: true;
  }
}

/** Takes bodies only where a route has a schema for one, and only as JSON with one reading. */
export function takeStrictBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: FastifyRequest, bytes: Buffer) =>
    bytes.length === 0 ? undefined : parse(bytes),
  );
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && request.routeOptions.config.bodyOptional) request.body = {};
  });
}

/** @throws {AccessError | CallError} before anything of a body is read that no route could use */
export function assertBodyFits(request: FastifyRequest, reply: FastifyReply): void {
  const { headers, routeOptions } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) {
    // Some clients name a type for nothing at all; it must not be looked at.
    delete request.raw.headers['content-type'];
    return;
  }
  try {
    if (routeOptions.schema?.body === undefined) throw new AccessError('invalid_request', 'this call takes no body');
    assertJson(headers);
  } catch (error) {
    // What is still on its way would have to be read before the next call.
    reply.header('connection', 'close');
    throw error;
  }
}

function assertJson(headers: FastifyRequest['headers']): void {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i.test(type))
    throw new CallError(
      'unsupported_media_type',
      `expected the content type application/json, got ${JSON.stringify(type)}`,
    );
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new CallError(
      'unsupported_media_type',
      `expected a body without content encoding, got ${JSON.stringify(encoding)}`,
    );
}

function parse(bytes: Buffer): unknown {
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const detail = error instanceof JsonError ? error.message : 'expected UTF-8';
    throw new InputError('invalid_request', [{ in: 'body', pointer: '', detail }]);
  }
}
