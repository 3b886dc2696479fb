import type { IncomingMessage } from 'node:http';
import { NoAnswer, noAnswer, textOf, type WireAnswer, type WireCall } from './exchange.js';
import type { Target } from './target.js';

/** One event as it came; `data` is still text. */
export interface WireEvent {
  /** As the service wants to be told when one comes back. */
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/** What a service that streams is heard to say: events, and signs of life, which are null. */
export interface WireStream {
  readonly answer: IncomingMessage;
  /** Ends when the service ends it. @throws {NoAnswer} when it breaks off, or nothing comes for too long */
  events(): AsyncIterable<WireEvent | { readonly id: string | undefined; readonly type: null }>;
}

/** Milliseconds until the beginning of an answer, and between two signs of life: the service gives one every 15 s. */
const SILENCE_MS = 45_000;

/** Of one event: the longest things there are, many times over. */
const MAX_EVENT = 1024 * 1024;

/**
 * Makes one call whose answer goes on and on.
 *
 * @throws {NoAnswer} when nothing came back
 */
export async function openStream(
  target: Target,
  { method, path, headers }: WireCall,
  signal: AbortSignal,
): Promise<WireStream | WireAnswer> {
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = target.open({ method, path, headers, signal });
      request.setTimeout(SILENCE_MS, () => request.destroy(silent()));
      request.once('response', resolve).on('error', reject);
      request.end();
    });
    if (!isStream(answer))
      return { status: answer.statusCode ?? 0, headers: answer.headers, text: await textOf(answer) };
    return { answer, events: () => eventsIn(answer) };
  } catch (error) {
    throw noAnswer(error);
  }
}

function isStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && (headers['content-type'] ?? '').startsWith('text/event-stream');
}

async function* eventsIn(answer: IncomingMessage): ReturnType<WireStream['events']> {
  let rest = '';
  answer.setEncoding('utf8');
  try {
    for await (const part of answer as AsyncIterable<string>) {
      const blocks = (rest + part).split('\n\n');
      rest = blocks.pop()!;
      if (rest.length > MAX_EVENT) throw new NoAnswer('EMSGSIZE', `an event is longer than ${MAX_EVENT} characters`);
      for (const block of blocks) yield readBlock(block);
    }
  } catch (error) {
    throw noAnswer(error);
  }
}

function readBlock(block: string) {
  const fields = new Map(
    block.split('\n').map((line) => {
      const [, name = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      return [name, value] as const;
    }),
  );
  const id = fields.get('id');
  const data = fields.get('data');
  return data === undefined ? { id, type: null } : { id, type: fields.get('event') ?? 'message', data };
}

function silent(): NoAnswer {
  return new NoAnswer('ETIMEDOUT', `nothing was heard for ${SILENCE_MS / 1_000} s`);
}
