import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkConfig } from './config/checks.js';
import { layer } from './config/layers.js';
import { fromEnvironment, fromFlags } from './config/overrides.js';
import { configSchema } from './config/schema.js';
import type { Config } from './config/structure.js';
import { checkPlain } from './policy/expected.js';
import { Findings, inOrder, withoutEchoes, type Outcome } from './policy/problem.js';
import { systemReason } from './policy/system-reason.js';
import { parseYaml } from './policy/yaml-file.js';

export { printConfig } from './config/print.js';
export type { Config } from './config/structure.js';

interface Given {
  readonly file: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Values of flags by the names of the settings, as in `listen.authz`. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/**
 * Reads the configuration: a flag beats a variable, a variable the file, the file the default. Everything is checked
 * before anything opens, so what is returned can be started with.
 */
// oxlint-disable-next-line no-restricted-properties -- this is the one place that reads the environment
export function loadConfig({ file, env = process.env, overrides = {} }: Given): Outcome<Config> {
  const findings = new Findings();
  const bytes = readBytes(file, findings);
  const read = bytes && parseYaml(file, bytes);
  findings.problems.push(...(read?.problems ?? []));
  const over = [...fromEnvironment(env, findings), ...fromFlags(overrides, findings)];
  if (read?.document) {
    const { root, placeOf } = layer(read.document, over);
    const checked = checkPlain(configSchema(dirname(resolve(file))), root, placeOf);
    if (!checked.ok) findings.problems.push(...withoutEchoes(findings.problems, checked.problems));
    else {
      checkConfig({ config: checked.value, placeOf, findings });
      if (findings.problems.length === 0) return { ok: true, value: freeze(checked.value) };
    }
  }
  return { ok: false, problems: inOrder(findings.problems) };
}

function readBytes(file: string, findings: Findings): Uint8Array | null {
  try {
    return readFileSync(file);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const hint = `${isMissing ? 'write one with "portcullis init", or ' : ''}name another with --config`;
    findings.problem(
      { source: file, at: null, path: '' },
      `cannot read the configuration: ${systemReason(error)}; ${hint}`,
    );
    return null;
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
