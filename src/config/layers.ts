import type { Path, Place } from '../policy/problem.js';
import type { YamlDocument } from '../policy/yaml-file.js';
import type { Plain } from '../policy/yaml-tree.js';
import type { Override } from './overrides.js';

/** The file with everything laid over it, still unchecked. */
export interface Layered {
  readonly root: Plain;
  readonly placeOf: (path: Path) => Place;
}

/** Later overrides win. A listener that is written as its address alone becomes `{ address }` first. */
export function layer(file: YamlDocument, overrides: readonly Override[]): Layered {
  const { root, short } = withoutShortForms(file.root);
  const merged = overrides.reduce((all, { setting, value }) => put(all, setting.path, value), root);
  const placeOf = (path: Path): Place => {
    const over = overrides.findLast(({ setting }) => setting.path.every((step, i) => path[i] === step));
    if (over) return over.placeOf(path);
    const isShort = path[0] === 'listen' && path[2] === 'address' && short.has(String(path[1]));
    return file.placeOf(isShort ? path.slice(0, 2) : path);
  };
  return { root: merged, placeOf };
}

function withoutShortForms(root: Plain): { root: Plain; short: ReadonlySet<string> } {
  const listen = isMapping(root) ? root['listen'] : undefined;
  if (!isMapping(root) || !isMapping(listen)) return { root, short: new Set() };
  const short = new Set(Object.keys(listen).filter((name) => !isMapping(listen[name])));
  const listeners = Object.entries(listen).map(([name, at]) => [name, short.has(name) ? { address: at } : at]);
  return { root: { ...root, listen: Object.fromEntries(listeners) as Plain }, short };
}

/** Where something that is no mapping is in the way, it stays: the schema tells. */
function put(all: Plain, [step, ...rest]: readonly string[], value: Plain): Plain {
  if (step === undefined) return value;
  if (!isMapping(all)) return all;
  return { ...all, [step]: put(Object.hasOwn(all, step) ? all[step]! : {}, rest, value) };
}

function isMapping(value: Plain | undefined): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
