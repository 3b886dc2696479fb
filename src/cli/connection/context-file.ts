import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { printProblem, type Place } from '../../policy/problem.js';
import { didYouMean } from '../../domain/near-miss.js';
import { systemReason } from '../../policy/system-reason.js';
import { EXIT } from '../exit-codes.js';
import { Failure, usageError } from '../failure.js';
import type { Environment } from '../shell.js';
import { absolute, CONNECTION_KEYS, VIA_KEYS, type ConnectionKey, type Layer, type ViaKey } from './layers.js';

/**
 * Reads a context: a YAML file that says how to reach one service. `given` is a name, looked up in the folder of contexts,
 * or a path. Paths in the file are relative to it.
 *
 * @throws {Failure} with every problem and its place
 */
export async function contextLayer(given: string, env: Environment, cwd: string): Promise<Layer> {
  const file = fileOf(given, env, cwd);
  const bytes = readContext(given, file);
  // Whoever uses no context does not wait for the YAML parser.
  const { parseYaml } = await import('../../policy/yaml-file.js');
  const { document, problems } = parseYaml(file, bytes);
  const lines = problems.map(printProblem);
  const values = document ? valuesOf(document, lines) : {};
  if (lines.length > 0) throw new Failure(EXIT.usage, lines);
  return { values: absolute(values, dirname(file)), nameOf: (key) => `${key} in ${file}` };
}

/** As for files: a name never leaves the folder of contexts. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function fileOf(given: string, env: Environment, cwd: string): string {
  if (given.includes('/') || /\.ya?ml$/.test(given)) return resolve(cwd, given);
  if (NAME.test(given)) return join(contextFolder(env), `${given}.yaml`);
  throw usageError(`expected the name of a context or a path to a file, got ${JSON.stringify(given)}`);
}

/** By the XDG base directory specification: a relative XDG_CONFIG_HOME is ignored. */
function contextFolder({ XDG_CONFIG_HOME: configHome, HOME: home }: Environment): string {
  const base = configHome?.startsWith('/') ? configHome : join(home ?? homedir(), '.config');
  return join(base, 'portcullis', 'contexts');
}

function readContext(given: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usageError(
      `cannot read the context ${JSON.stringify(given)}: ${file}: ${systemReason(error)}`,
      `write it with the keys ${CONTEXT_KEYS.join(', ')}, or name another with --context`,
    );
  }
}

type ContextKey = ConnectionKey | ViaKey;
const CONTEXT_KEYS: readonly ContextKey[] = [...CONNECTION_KEYS, ...VIA_KEYS];

interface ContextDocument {
  readonly root: unknown;
  readonly placeOf: (path: readonly string[]) => Place;
}

/** Unknown keys are problems: a misspelt `ca` would be a connection that is checked against other authorities. */
function valuesOf({ root, placeOf }: ContextDocument, problems: string[]): Partial<Record<ContextKey, string>> {
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    const message = `expected a mapping with the keys ${CONTEXT_KEYS.join(', ')}`;
    problems.push(printProblem({ ...placeOf([]), message }));
    return {};
  }
  const values: Partial<Record<ContextKey, string>> = {};
  for (const [key, value] of Object.entries(root)) {
    const message = isKey(key) ? problemOf(value) : unknownKey(key);
    if (message !== null) problems.push(printProblem({ ...placeOf([key]), message }));
    else values[key as ContextKey] = String(value);
  }
  return values;
}

function isKey(key: string): key is ContextKey {
  return (CONTEXT_KEYS as readonly string[]).includes(key);
}

function problemOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? null : 'expected text, put it in quotes';
}

function unknownKey(key: string): string {
  const known = `; known here: ${CONTEXT_KEYS.join(', ')}`;
  return `unknown key ${JSON.stringify(key)}${didYouMean(key, CONTEXT_KEYS) || known}`;
}
