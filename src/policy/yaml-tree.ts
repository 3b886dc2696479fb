import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { printPlace, type Path, type Place, type Problem } from './problem.js';
import { isVisible, quote } from './yaml-text.js';

/** What a file can say. Mappings have no prototype, so no key of a file is mistaken for something inherited. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Where a value stands, and what is below it. */
export interface Spot {
  readonly offset: number;
  readonly below: ReadonlyMap<string | number, Spot>;
}

export interface Tree {
  readonly value: Plain;
  readonly spot: Spot;
  readonly problems: readonly Problem[];
}

const MAX_DEPTH = 32;

/** Values that may be reached through aliases in all: enough to share lists, too few for aliases of aliases to explode. */
const MAX_ALIASED = 1_000;

/** In UTF-16 code units. */
const MAX_TEXT = 4_096;

type PlaceAt = (offset: number, path: Path) => Place;

/** Turns the nodes of a document into plain values; says what is not plain. */
export function readTree(root: Node | null, placeAt: PlaceAt): Tree {
  const reader = new TreeReader(placeAt);
  const offset = root?.range?.[0] ?? 0;
  const { value, below } = reader.value(root, { offset, path: [], aliased: false });
  return { value, spot: { offset, below }, problems: reader.problems };
}

interface Standing {
  readonly offset: number;
  readonly path: Path;
  /** Whether an alias led here. */
  readonly aliased: boolean;
}

interface Read {
  readonly value: Plain;
  readonly below: ReadonlyMap<string | number, Spot>;
}

const NOTHING: Read = { value: null, below: new Map() };

class TreeReader {
  readonly problems: Problem[] = [];
  readonly #placeAt: PlaceAt;
  readonly #anchors = new Map<string, Node>();
  #aliased = 0;

  constructor(placeAt: PlaceAt) {
    this.#placeAt = placeAt;
  }

  value(node: unknown, at: Standing): Read {
    if (at.path.length > MAX_DEPTH) return this.#refuse(at, `expected at most ${MAX_DEPTH} levels`);
    if (at.aliased && ++this.#aliased > MAX_ALIASED) {
      // Once is enough: whatever else the aliases lead to is not looked at.
      return this.#aliased === MAX_ALIASED + 1
        ? this.#refuse(at, `expected at most ${MAX_ALIASED} values through aliases`)
        : NOTHING;
    }
    if (isAlias(node)) return this.#alias(node, at);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return NOTHING;
    if (node.tag) return this.#refuse(at, `expected a value without a tag, got ${node.tag}`);
    if (node.anchor) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return { value: this.#scalar(node, at), below: NOTHING.below };
    return isMap(node) ? this.#mapping(node, at) : this.#list(node.items, at);
  }

  #alias(node: Alias, at: Standing): Read {
    const target = this.#anchors.get(node.source);
    if (!target) return this.#refuse(at, `expected an anchor &${node.source} before this alias`);
    return this.value(target, { ...at, aliased: true });
  }

  #list(items: readonly unknown[], at: Standing): Read {
    const below = new Map<number, Spot>();
    const value = items.map((item, i) => {
      const offset = startOf(item) ?? at.offset;
      const read = this.value(item, { offset, path: [...at.path, i], aliased: at.aliased });
      below.set(i, { offset, below: read.below });
      return read.value;
    });
    return { value, below };
  }

  #mapping(node: YAMLMap, at: Standing): Read {
    const below = new Map<string, Spot>();
    const value = Object.create(null) as Record<string, Plain>;
    for (const pair of node.items) {
      const offset = startOf(pair.key) ?? at.offset;
      const key = this.#key(pair, below, { ...at, offset });
      if (key === null) continue;
      const read = this.value(pair.value, { offset, path: [...at.path, key], aliased: at.aliased });
      below.set(key, { offset, below: read.below });
      value[key] = read.value;
    }
    return { value, below };
  }

  /** Null when the pair cannot be kept under its key. */
  #key({ key }: Pair, before: ReadonlyMap<string, Spot>, at: Standing): string | null {
    if (!isScalar(key) || typeof key.value !== 'string' || key.tag) {
      this.#refuse(at, `expected a key that is text, got ${nameOfKey(key)}`);
      return null;
    }
    const { value } = key;
    const first = before.get(value);
    if (first) {
      const place = printPlace(this.#placeAt(first.offset, []));
      this.#refuse({ ...at, path: [...at.path, value] }, `expected each key once, got it again; first at ${place}`);
      return null;
    }
    if (value === '__proto__' || value.length > MAX_TEXT || !isVisible(value)) {
      this.#refuse(at, `expected another key, got ${quote(value)}`);
      return null;
    }
    return value;
  }

  #scalar({ value, source = '' }: Scalar, at: Standing): Plain {
    if (typeof value === 'string') {
      if (value.length > MAX_TEXT)
        return this.#refuse(at, `expected at most ${MAX_TEXT} characters, got ${value.length}`).value;
      if (isVisible(value)) return value;
      return this.#refuse(at, `expected visible text, got ${quote(value)}`).value;
    }
    if (typeof value !== 'number') return typeof value === 'boolean' ? value : null;
    if (/^(?:0|-?[1-9]\d*)$/.test(source) && Number.isSafeInteger(value)) return value;
    return this.#refuse(at, `expected a whole number such as 3, got ${source}; put it in quotes if it is text`).value;
  }

  #refuse({ offset, path }: Standing, message: string): Read {
    this.problems.push({ ...this.#placeAt(offset, path), message });
    return NOTHING;
  }
}

function nameOfKey(key: unknown): string {
  if (!isScalar(key)) return 'something else';
  if (key.tag) return `the tag ${key.tag}`;
  return key.source ? `${key.source}; put it in quotes` : 'nothing';
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}
