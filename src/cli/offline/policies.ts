import type { TrustName } from '../../domain/names.js';
import type { PolicySet } from '../../domain/policy.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { say } from '../output/print.js';
import type { Shell } from '../shell.js';
import { printProblemsFrom } from './problems.js';

/**
 * Reads the policy folder and says what looks wrong in it.
 *
 * @throws {Failure} with every problem and its place
 */
export async function loadPolicies(
  folder: string,
  trust: readonly TrustName[],
  shell: Pick<Shell, 'cwd' | 'stderr'>,
): Promise<PolicySet> {
  const { readPolicyFolder } = await import('../../policy/read.js');
  const reading = await readPolicyFolder(folder, { trust });
  for (const line of printProblemsFrom(shell.cwd, reading.warnings)) say(shell, `warning: ${line}`);
  if (reading.ok) return reading.set;
  throw new Failure(EXIT.usage, printProblemsFrom(shell.cwd, reading.problems));
}
