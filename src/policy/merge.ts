import { printPlace, type Findings, type Path, type Place } from './problem.js';
import type { PolicyFile } from './schema.js';
import type { TypedYaml } from './yaml-file.js';

/** Something that a file of the folder gives a name, and where it does. */
export interface Defined<T> {
  readonly name: string;
  readonly value: T;
  /** Where a part of it stands; without steps the name itself. */
  readonly at: (...steps: Path) => Place;
}

type Entry<K extends keyof PolicyFile> = NonNullable<PolicyFile[K][keyof PolicyFile[K]]>;
type Section<K extends keyof PolicyFile> = ReadonlyMap<string, Defined<Entry<K>>>;

/** The sections of all files together, each sorted by name: in which file and in which order things stand means nothing. */
export type Sections = { readonly [K in keyof PolicyFile]: Section<K> };

/** A name that two files define is a problem at the second, in the order of the files. */
export function merge(files: readonly TypedYaml<PolicyFile>[], findings: Findings): Sections {
  const section = <K extends keyof PolicyFile>(key: K): Section<K> => {
    const merged = new Map<string, Defined<Entry<K>>>();
    for (const one of files.flatMap((file) => entriesOf(file, key))) {
      const first = merged.get(one.name);
      if (first)
        findings.problem(one.at(), `expected each name once, got it again; first at ${printPlace(first.at())}`);
      else merged.set(one.name, one);
    }
    return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return {
    people: section('people'),
    groups: section('groups'),
    resources: section('resources'),
    policies: section('policies'),
    roles: section('roles'),
  };
}

function entriesOf<K extends keyof PolicyFile>({ value, placeOf }: TypedYaml<PolicyFile>, key: K): Defined<Entry<K>>[] {
  return Object.entries(value[key])
    .filter(([, entry]) => entry !== undefined)
    .map(([name, entry]) => ({
      name,
      value: entry as Entry<K>,
      at: (...steps: Path) => placeOf([key, name, ...steps]),
    }));
}
