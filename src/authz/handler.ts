import { plainDeny, type Answer } from './answer.js';
import type { Core } from './core.js';

/** After this an explicit deny goes out, whatever the core is doing. Envoy waits 250 ms. */
const PATIENCE_MS = 100;

/** Answers one check, by calling `send` exactly once. */
export type Handler = (bytes: Buffer, namedByFilter: readonly string[], send: (answer: Answer) => void) => void;

/**
 * Wraps the core so that every call ends in exactly one answer, and every failure in an explicit deny: a throw, a
 * rejection, a second answer, no answer at all. What grpc-js would make of them (an error, which Envoy may be configured
 * to take for an allow, or a call that hangs) never happens.
 */
export function answering(core: Core, { alarm }: { readonly alarm: (cause: unknown) => void }): Handler {
  const tell = (cause: unknown): void => {
    try {
      alarm(cause);
    } catch {
      // The answer has gone out, and there is nobody else to tell.
    }
  };
  return (bytes, namedByFilter, send) => {
    let answered = false;
    const answer = (given: Answer): void => {
      if (answered) return;
      answered = true;
      send(given);
    };
    const fail = (cause: unknown): void => {
      answer(plainDeny('condition_error'));
      tell(cause);
    };
    try {
      const result = core(bytes, namedByFilter);
      if (!isPromise(result)) {
        answer(result);
        return;
      }
      const timer = setTimeout(() => answer(plainDeny('overloaded')), PATIENCE_MS);
      result
        .then(answer, fail)
        .finally(() => clearTimeout(timer))
        .catch(tell);
    } catch (error) {
      fail(error);
    }
  };
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === 'function';
}
