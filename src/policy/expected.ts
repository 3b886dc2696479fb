import type { z } from 'zod';
import { LATER } from './later.js';
import { didYouMean } from '../domain/near-miss.js';
import type { Outcome, Path, Place, Problem } from './problem.js';
import { quote } from './yaml-text.js';
import type { Plain } from './yaml-tree.js';

/** Checks a plain value against its schema; `placeOf` tells where its parts stand. */
export function checkPlain<T>(schema: z.ZodType<T>, root: Plain, placeOf: (path: Path) => Place): Outcome<T> {
  // Each schema runs once or a few times: compiling it first would take longer than it saves.
  const checked = schema.safeParse(root, { jitless: true });
  if (checked.success) return { ok: true, value: checked.data };
  return { ok: false, problems: checked.error.issues.flatMap((issue) => toProblems(issue, placeOf)) };
}

/** The form of nearly every message. */
export function expected(what: string, got: unknown): string {
  return `expected ${what}, got ${describe(got)}`;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? quote(value) : JSON.stringify(value);
}

function toProblems(issue: z.core.$ZodIssue, placeOf: (path: Path) => Place): Problem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code !== 'unrecognized_keys') return [{ ...placeOf(path), message: messageOf(issue) }];
  // `closed` put the keys it knows into the message.
  const known = issue.message.split(' ');
  return issue.keys.map((key) => ({ ...placeOf([...path, key]), message: unknownKey(key, known) }));
}

function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

function unknownKey(key: string, known: readonly string[]): string {
  if (LATER.has(key)) return `${quote(key)} belongs to a later version, this one does not know it; remove it`;
  const hint = didYouMean(key, known);
  return `unknown key ${quote(key)}${hint || `; known here: ${known.join(', ')}`}`;
}
