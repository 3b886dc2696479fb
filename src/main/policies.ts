import type { PolicySource } from '../access/dependencies.js';
import type { TrustName } from '../domain/names.js';
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

/** @throws {StartError} with every problem and its place */
export async function openPolicies(
  folder: string,
  trust: readonly TrustName[],
): Promise<Policies & { readonly warnings: readonly string[] }> {
  const read = () => readFolder(folder, trust);
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

async function readFolder(folder: string, trust: readonly TrustName[]): Promise<FolderReading> {
  const reading = await readPolicyFolder(folder, { trust });
  return reading.ok
    ? { ok: true, set: reading.set, warnings: reading.warnings.map(printProblem) }
    : { ok: false, problems: reading.problems.map(printProblem) };
}
