import type { Metadata } from '@grpc/grpc-js';
import { plainDeny, type AnswerBytes } from './answer.js';
import type { Core } from './core.js';

/** After this an explicit deny goes out, whatever the core is doing. Envoy waits 250 ms. */
const PATIENCE_MS = 100;

/** The call of grpc-js as far as it is used. */
interface Call {
  readonly request: Buffer;
  readonly metadata: Pick<Metadata, 'get'>;
}

/**
 * Wraps the core so that every call ends in exactly one answer, and every failure in an explicit deny: a throw, a
 * rejection, a second answer, no answer at all. What grpc-js would make of them (an error, which Envoy may be configured
 * to take for an allow, or a call that hangs) never happens.
 */
export function answering(core: Core, { alarm }: { readonly alarm: (cause: unknown) => void }) {
  return (call: Call, callback: (error: null, answer: AnswerBytes) => void): void => {
    let answered = false;
    const answer = (bytes: AnswerBytes): void => {
      if (answered) return;
      answered = true;
      callback(null, bytes);
    };
    const fail = (cause: unknown): void => {
      alarm(cause);
      answer(plainDeny('condition_error'));
    };
    try {
      const result = core(call.request, resourceNames(call.metadata));
      if (!isPromise(result)) {
        answer(result);
        return;
      }
      const timer = setTimeout(() => answer(plainDeny('overloaded')), PATIENCE_MS);
      result
        .then(answer, fail)
        .finally(() => clearTimeout(timer))
        .catch(alarm);
    } catch (error) {
      fail(error);
    }
  };
}

function resourceNames(metadata: Call['metadata']): readonly string[] {
  return metadata.get('x-portcullis-resource').map(String);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === 'function';
}
