import type { PolicySource } from '../access/dependencies.js';
import type { TrustName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { printProblem } from '../policy/problem.js';
import { readPolicyFolder } from '../policy/read.js';
import { StartError } from './start-error.js';

/** The policy folder as it was read last. */
export interface Policies extends PolicySource {
  /**
   * Reads the folder again. A set that cannot be read changes nothing: its problems are the answer.
   */
  reload(): Promise<
    | { readonly ok: true; readonly warnings: readonly string[] }
    | { readonly ok: false; readonly problems: readonly string[] }
  >;
}

/** @throws {StartError} with every problem and its place */
export async function openPolicies(
  folder: string,
  trust: readonly TrustName[],
): Promise<Policies & { readonly warnings: readonly string[] }> {
  let current: PolicySet;
  const read = async () => {
    const reading = await readPolicyFolder(folder, { trust });
    if (reading.ok) current = reading.set;
    return reading;
  };
  const first = await read();
  if (!first.ok) throw new StartError(first.problems.map(printProblem));
  return {
    get current() {
      return current;
    },
    warnings: first.warnings.map(printProblem),
    async reload() {
      const reading = await read();
      return reading.ok
        ? { ok: true, warnings: reading.warnings.map(printProblem) }
        : { ok: false, problems: reading.problems.map(printProblem) };
    },
  };
}
