import type { PolicySource } from '../access/dependencies.js';
import type { Config } from '../config/structure.js';
import type { PolicySet } from '../domain/policy.js';
import { printProblem } from '../policy/problem.js';
import { readPolicyFolder } from '../policy/read.js';
import { StartError } from './start-error.js';

/** The policy set in force, and the one way to put another in its place. */
export interface Policies extends PolicySource {
  /** Reads the folder as it is now. What is in force stays in force. */
  read(): Promise<FolderReading>;
  /** From this moment on every check and every change is judged by this set. */
  enforce(set: PolicySet): void;
}

/** A policy set, or everything that keeps the folder from being one. */
type FolderReading =
  | { readonly ok: true; readonly set: PolicySet; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The policy set of the start, and what looks wrong in it. */
export interface OpenedPolicies extends Policies {
  readonly warnings: readonly string[];
}

/** What of the configuration the policies depend on. */
type Setting = Pick<Config, 'policy' | 'gate'> & { readonly trust: readonly Pick<Config['trust'][number], 'name'>[] };

/** @throws {StartError} with every problem and its place */
export async function openPolicies(setting: Setting): Promise<OpenedPolicies> {
  const read = () => readFolder(setting);
  const first = await read();
  if (!first.ok) throw new StartError(first.problems);
  let current = first.set;
  return {
    get current() {
      return current;
    },
    warnings: first.warnings,
    read,
    enforce: (set) => {
      current = set;
    },
  };
}

async function readFolder({ policy, trust, gate }: Setting): Promise<FolderReading> {
  const reading = await readPolicyFolder(policy, { trust: trust.map(({ name }) => name) });
  return reading.ok
    ? {
        ok: true,
        set: reading.set,
        warnings: [...reading.warnings.map(printProblem), ...gateMissing(reading.set, gate)],
      }
    : { ok: false, problems: reading.problems.map(printProblem) };
}

/** Safe, and of no use: without the name of the gate nothing that comes through it is believed. */
function gateMissing({ resources }: PolicySet, gate: string | null): string[] {
  const gated = [...resources.values()].filter(({ tcp }) => tcp?.gate);
  if (gate !== null || gated.length === 0) return [];
  const [first, ...more] = gated.map(({ name }) => JSON.stringify(name));
  const which = more.length === 0 ? `${first} is` : `${first} and ${more.length} more are`;
  return [
    `gate: ${which} reached through the gate, but gate is not set, so every connection to what is behind it is denied; ` +
      'set gate to the name of the internal listener: "gate" where portcullis envoy config writes it',
  ];
}
