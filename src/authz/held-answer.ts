import type { Answer } from './answer.js';

/**
 * An answer that comes later on purpose: the check waits for an approval. Nothing else may take longer than the patience
 * of the handler, and whatever does not say so by this type is denied as a hang.
 */
export class HeldAnswer {
  readonly answer: Promise<Answer>;
  /** After so many milliseconds it is there, or something hangs. */
  readonly longest: number;
  /** Tells that whoever asked has given up: then nothing waits any more, and no answer comes. */
  readonly cancel: () => void;

  constructor(answer: Promise<Answer>, longest: number, cancel: () => void) {
    this.answer = answer;
    this.longest = longest;
    this.cancel = cancel;
  }
}
