import { didYouMean } from '../domain/near-miss.js';
import type { Findings, Place } from './problem.js';

interface Naming {
  /** What the names are of, as in `a group`. */
  readonly what: string;
  readonly known: ReadonlyMap<string, unknown>;
  readonly placeOf: (i: number) => Place;
}

/** The names in their order of letters, all of them known: what is not is a problem where it stands. */
export function knownNames(names: readonly string[], naming: Naming, findings: Findings): string[] {
  const { what, known, placeOf } = naming;
  for (const [i, name] of names.entries()) {
    if (known.has(name)) continue;
    const hint = didYouMean(name, known.keys()) || '; no file of the folder defines it';
    findings.problem(placeOf(i), `expected the name of ${what}, got ${JSON.stringify(name)}${hint}`);
  }
  return names.toSorted();
}
