/** Things in the order of their times, of which only the first is ever wanted. */
export class Heap<T extends { readonly at: number }> {
  readonly #things: T[] = [];

  get size(): number {
    return this.#things.length;
  }

  get first(): T | undefined {
    return this.#things[0];
  }

  add(thing: T): void {
    const things = this.#things;
    let place = things.push(thing) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (things[parent]!.at <= thing.at) break;
      things[place] = things[parent]!;
      place = parent;
    }
    things[place] = thing;
  }

  /** Takes the first away. */
  take(): T | undefined {
    const things = this.#things;
    const first = things[0];
    const last = things.pop();
    if (things.length > 0) this.#sink(last!);
    return first;
  }

  /** Puts a thing where the first was, and lets it down to its place. */
  #sink(thing: T): void {
    const things = this.#things;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= things.length) break;
      if (child + 1 < things.length && things[child + 1]!.at < things[child]!.at) child += 1;
      if (things[child]!.at >= thing.at) break;
      things[place] = things[child]!;
      place = child;
    }
    things[place] = thing;
  }
}
