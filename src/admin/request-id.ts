import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a caller may choose as `X-Request-Id`: it goes into logs and back into headers. */
const CHOSEN = /^[A-Za-z0-9._~:+/=-]{1,128}$/;

/** The id under which this call is found in the log: the caller's own if it is harmless, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const chosen = headers['x-request-id'];
  return typeof chosen === 'string' && CHOSEN.test(chosen) ? chosen : randomUUID();
}
