import type { IncomingMessage } from 'node:http';
import type { Target } from './target.js';

/** One call as it goes out. */
export interface WireCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What came back. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** No answer came. `code` is the system's, as `ECONNREFUSED`. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Milliseconds until a call must have been answered. */
const TIMEOUT_MS = 30_000;

/** A full page of the longest things there are takes a few megabytes. */
const MAX_ANSWER = 32 * 1024 * 1024;

/**
 * Makes one call, once.
 *
 * @throws {NoAnswer} when nothing came back, or not all of it
 */
export async function exchange(target: Target, { method, path, headers, body }: WireCall): Promise<WireAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = target.open({ method, path, headers, signal });
      request.once('response', resolve).on('error', reject);
      request.end(body ?? undefined);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
  } catch (error) {
    if (signal.aborted) throw new NoAnswer('ETIMEDOUT', `no answer within ${TIMEOUT_MS / 1_000} s`, { cause: error });
    throw noAnswer(error);
  }
}

/** Whatever broke a connection, as that. */
export function noAnswer(error: unknown): NoAnswer {
  return error instanceof NoAnswer ? error : new NoAnswer(codeOf(error), messageOf(error), { cause: error });
}

/** All of an answer. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER) throw new NoAnswer('EMSGSIZE', `the answer is longer than ${MAX_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Where several addresses were tried, each has failed in its own way: the first says enough. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
