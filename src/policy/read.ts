import type { z } from 'zod';
import type { TrustName } from '../domain/names.js';
import type { PolicySet } from '../domain/policy.js';
import { setDigest } from './digest.js';
import { readDirectory } from './directory.js';
import { listFolder, type FolderFile } from './folder.js';
import { merge, type Sections } from './merge.js';
import { readPolicies } from './policies.js';
import { Findings, inOrder, type Problem } from './problem.js';
import { readResources } from './resources.js';
import { readRoles } from './roles.js';
import { policyFileSchema, type PolicyFile } from './schema.js';
import { warn } from './warnings.js';
import { readYaml, type TypedYaml } from './yaml-file.js';

/** A whole policy set, or the reasons why there is none; never a part of one. */
export type PolicyReading =
  | { readonly ok: true; readonly set: PolicySet; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

interface Given {
  /** The names of the trust entries there are: subjects are claimed under them. */
  readonly trust: readonly TrustName[];
}

/** Reads the policy folder. Reads are not one moment: whoever replaces several files reads again afterwards. */
export async function readPolicyFolder(folder: string, { trust }: Given): Promise<PolicyReading> {
  const findings = new Findings();
  const sources = await listFolder(folder, findings);
  const schema = policyFileSchema(trust);
  const files = [];
  for (const source of sources) {
    files.push(readFile(source, schema, findings));
    // Parsing is the slow part and blocks; between two files others get their turn.
    await new Promise(setImmediate);
  }
  return conclude(files, findings);
}

/** As `readPolicyFolder`, for files that are at hand. */
export function readPolicyFiles(sources: readonly FolderFile[], { trust }: Given): PolicyReading {
  const findings = new Findings();
  const schema = policyFileSchema(trust);
  return conclude(
    sources.map((source) => readFile(source, schema, findings)),
    findings,
  );
}

function readFile(
  { name, bytes }: FolderFile,
  schema: z.ZodType<PolicyFile>,
  findings: Findings,
): TypedYaml<PolicyFile> | null {
  const read = readYaml(name, bytes, schema);
  if (read.ok) return read.value;
  findings.problems.push(...read.problems);
  return null;
}

/** What refers to what is looked at only when every file could be read: else each name of a broken file seems unknown. */
function conclude(files: readonly (TypedYaml<PolicyFile> | null)[], findings: Findings): PolicyReading {
  const complete = files.filter((file) => file !== null);
  const set = findings.problems.length === 0 ? build(merge(complete, findings), findings) : null;
  const warnings = inOrder(findings.warnings);
  if (set && findings.problems.length === 0) return { ok: true, set, warnings };
  return { ok: false, problems: inOrder(findings.problems), warnings };
}

function build(sections: Sections, findings: Findings): PolicySet {
  const directory = readDirectory(sections, findings);
  const resources = readResources(sections, findings);
  const policies = readPolicies({ sections, directory, resources }, findings);
  const roles = readRoles(sections, findings);
  const content = { directory, resources, policies, roles };
  const set = { ...content, digest: setDigest(content) };
  if (findings.problems.length === 0) warn(set, sections, findings);
  return set;
}
