import type { Position } from '../access/events/position.js';

/** What is under way, in the order in which it began: how far everything is done, though things end in another order. */
export class InOrder {
  readonly #begun: { position: Position; isDone: boolean }[] = [];
  #done: Position;

  constructor(start: Position) {
    this.#done = start;
  }

  /** Everything up to here is done. */
  get done(): Position {
    return this.#done;
  }

  /** Up to here there was nothing more to do. */
  pass(position: Position): void {
    const last = this.#begun.at(-1);
    if (last === undefined) this.#done = position;
    else if (last.isDone) last.position = position;
    else this.#begun.push({ position, isDone: true });
  }

  /** Call what it returns when it is done. */
  begin(position: Position): () => void {
    const one = { position, isDone: false };
    this.#begun.push(one);
    return () => {
      one.isDone = true;
      while (this.#begun[0]?.isDone) this.#done = this.#begun.shift()!.position;
    };
  }
}
