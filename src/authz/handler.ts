import { plainDeny, type Answer } from './answer.js';
import type { Core } from './core.js';
import { HeldAnswer } from './held-answer.js';

/** After this an explicit deny goes out, whatever the core is doing. Envoy waits 250 ms. */
const PATIENCE_MS = 100;

/**
 * Answers one check, by calling `send` exactly once. `patience` is how many milliseconds whoever asked waits; null when
 * they do not say. Where the check is held it returns what is to be called when they give up: then nothing is sent.
 */
export type Handler = (
  bytes: Buffer,
  namedByFilter: readonly string[],
  send: (answer: Answer) => void,
  patience?: number | null,
) => (() => void) | undefined;

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
  return (bytes, namedByFilter, send, patience = null) => {
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
    /** Returns what forgets that an answer was to come. */
    const within = (ms: number, result: Promise<Answer>): (() => void) => {
      const timer = setTimeout(() => answer(plainDeny('overloaded')), ms);
      const forget = () => clearTimeout(timer);
      result.then(answer, fail).finally(forget).catch(tell);
      return forget;
    };
    try {
      const result = core(bytes, namedByFilter, patience);
      if (result instanceof HeldAnswer) {
        const forget = within(result.longest + PATIENCE_MS, result.answer);
        return () => {
          answered = true;
          forget();
          result.cancel();
        };
      }
      if (isPromise(result)) within(PATIENCE_MS, result);
      else answer(result);
    } catch (error) {
      fail(error);
    }
    return undefined;
  };
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === 'function';
}
