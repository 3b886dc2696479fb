/** Text that is not JSON, or is JSON with more than one reading. The message says what and where. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Our deepest body has three levels. */
const MAX_DEPTH = 8;

/** Names that mean something to objects themselves. */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads JSON (RFC 8259) where every text has one meaning: no name twice in an object, only whole numbers that
 * a double holds exactly, no lone surrogates, no reserved names, bounded depth. Objects have no prototype.
 *
 * @throws {JsonError}
 */
export function parseStrictJson(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

const SPACE = /[ \t\n\r]*/y;
// oxlint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    this.#take(SPACE);
    if (this.#skip('{')) return this.#object(this.#deeper(depth));
    if (this.#skip('[')) return this.#array(this.#deeper(depth));
    const word = this.#take(WORD);
    if (word !== undefined) return JSON.parse(word);
    return this.#text[this.#at] === '"' ? this.#string() : this.#number();
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) this.#fail('expected the end');
  }

  #object(depth: number): Record<string, unknown> {
    const members = Object.create(null) as Record<string, unknown>;
    if (this.#skip('}')) return members;
    do {
      this.#take(SPACE);
      const name = this.#string();
      if (RESERVED.has(name)) this.#fail(`the name ${JSON.stringify(name)} is not used here`);
      if (name in members) this.#fail(`the name ${JSON.stringify(name)} stands twice`);
      if (!this.#skip(':')) this.#fail('expected ":"');
      members[name] = this.value(depth);
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail('expected "," or "}"');
    return members;
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    if (this.#skip(']')) return items;
    do items.push(this.value(depth));
    while (this.#skip(','));
    if (!this.#skip(']')) this.#fail('expected "," or "]"');
    return items;
  }

  #string(): string {
    const literal = this.#take(STRING);
    if (literal === undefined) return this.#fail('expected a value or a name in quotes');
    const text = JSON.parse(literal) as string;
    return text.isWellFormed() ? text : this.#fail('half of a surrogate pair');
  }

  /** Whole and safe: no 1e400, no 2^53 + 1, no 0.1, no -0. Nothing in this API has a fraction. */
  #number(): number {
    const literal = this.#take(NUMBER);
    if (literal === undefined) return this.#fail('expected a value');
    const number = Number(literal);
    if (!/^-?[0-9]+$/.test(literal) || !Number.isSafeInteger(number) || Object.is(number, -0))
      this.#fail(`the number ${literal.slice(0, 40)} is not whole or too large`);
    return number;
  }

  #deeper(depth: number): number {
    return depth < MAX_DEPTH ? depth + 1 : this.#fail(`more than ${MAX_DEPTH} levels`);
  }

  #skip(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #fail(what: string): never {
    throw new JsonError(`${what} at character ${this.#at + 1}`);
  }
}
