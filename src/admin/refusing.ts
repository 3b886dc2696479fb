import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { QuotaError } from '../access/quota.js';
import { CallError, problem, toProblem, type Problem, type ProblemCode } from './problem.js';

/** Hears of failures that are no fault of whoever called. */
export type Alarm = (cause: unknown) => void;

/** On every answer: nothing here is for caches, frames or guessing what it might be. */
export const PLAIN_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Answers every error with a problem document. What is a bug or an outage is heard by `alarm` and told to nobody. */
export function answerErrors(app: FastifyInstance, alarm: Alarm): void {
  app.setErrorHandler((error, request, reply) => {
    const refused = toProblem(error);
    if (refused.code === 'internal_error') alarm(new CallFailure(request.id, error));
    return sendProblem(reply, refused, headersFor(error));
  });
}

/** A call failed through no fault of whoever made it. The text is the same for all, so that alarms can be counted by it. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  /** As the caller was told it; callers may choose it. */
  readonly callId: string;

  constructor(callId: string, cause: unknown) {
    super('a call failed', { cause });
    this.callId = callId;
  }
}

function headersFor(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof CallError) return error.headers;
  return error instanceof QuotaError ? { 'retry-after': String(Math.ceil(error.wait / 1_000)) } : {};
}

/** Sends a problem as bytes, past all serializers, so that nothing can fail on the way. */
export function sendProblem(reply: FastifyReply, refused: Problem, headers: Readonly<Record<string, string>> = {}) {
  return reply
    .code(refused.status)
    .headers({ ...PLAIN_HEADERS, 'x-request-id': reply.request.id, ...challenge(refused), ...headers })
    .type('application/problem+json')
    .send(JSON.stringify(refused));
}

function challenge({ status }: Problem): Readonly<Record<string, string>> {
  return status === 401 ? { 'www-authenticate': 'Bearer realm="portcullis"' } : {};
}

/** Answers what is no HTTP call, or too slow or too large to be read as one, and closes the connection. */
export function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const code = UNREADABLE.get(error.code) ?? 'invalid_request';
  const refused = problem(code, code === 'invalid_request' ? 'this is no HTTP/1.1 call' : problem(code, '').title);
  const body = JSON.stringify(refused);
  const headers = {
    ...PLAIN_HEADERS,
    'x-request-id': randomUUID(),
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\n${lines.join('')}\r\n${body}`);
}

const UNREADABLE: ReadonlyMap<string | undefined, ProblemCode> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'too_slow'],
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
]);
