import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { DELIVERED, failed, later, type Deliver, type Outcome } from './delivery.js';
import type { Notice } from './notice.js';

/** Milliseconds that one try may take. */
const TIMEOUT_MS = 10_000;

/** Bytes of an answer, of which nothing is used but its status. */
const MAX_ANSWER = 64 * 1024;

/** These say that it is a matter of time; every other refusal would be the same the next time. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

export interface WebhookGiven {
  /** https, or http on this machine. */
  readonly url: string;
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timeoutMs?: number;
}

/**
 * Posts each notice as JSON, signed: whoever gets it can tell that it is from here and not older than it says. Redirects are not
 * followed, since they would take the notice where nobody has sent it.
 */
export function webhookDelivery({ url, secret, now, timeoutMs = TIMEOUT_MS }: WebhookGiven): Deliver {
  return async (notice, signal) => {
    const body = JSON.stringify(notice);
    try {
      const tried = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      return outcomeOf(
        await post(url, { body, headers: headersFor(notice, body, { secret, now: now() }), signal: tried }),
      );
    } catch (error) {
      return later(error instanceof Error && error.name === 'AbortError' ? 'no answer in time' : messageOf(error));
    }
  };
}

/** Signed is the time, a full stop, and the body as it is sent: HMAC-SHA256, in hexadecimal. */
function signature(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

function headersFor({ id, kind }: Notice, body: string, { secret, now }: { secret: string; now: number }) {
  // In seconds, as everybody expects; of this try, so that a late one is not refused as old.
  const timestamp = Math.floor(now / 1_000);
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'portcullis',
    'portcullis-event': kind,
    'portcullis-delivery': id,
    'portcullis-timestamp': String(timestamp),
    'portcullis-signature': `v1=${signature(secret, timestamp, body)}`,
  };
}

interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The status of the answer. */
function post(url: string, { body, headers, signal }: Post): Promise<number> {
  return new Promise((resolve, reject) => {
    const begin = url.startsWith('https:') ? https.request : http.request;
    const call = begin(url, { method: 'POST', headers, signal, agent: false });
    call.on('error', reject);
    call.on('response', (answer) => {
      let length = 0;
      answer.on('error', reject);
      answer.on('data', (part: Buffer) => {
        length += part.length;
        if (length > MAX_ANSWER) answer.destroy();
      });
      answer.on('close', () => resolve(answer.statusCode ?? 0));
    });
    call.end(body);
  });
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const why = `answered with ${status}`;
  if (status >= 300 && status < 400) return failed(`${why}, and redirects are not followed`);
  return status >= 500 || LATER.has(status) ? later(why) : failed(why);
}

/** Where several addresses were tried, the first says enough. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
