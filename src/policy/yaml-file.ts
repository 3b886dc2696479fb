import { Composer, LineCounter, Parser, type Document, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { checkPlain } from './expected.js';
import { inOrder, printPath, withoutEchoes, type Outcome, type Path, type Place, type Problem } from './problem.js';
import { decodeText } from './yaml-text.js';
import { readTree, type Plain, type Spot } from './yaml-tree.js';

/** A YAML file as plain values, before anything is known about what should stand in it. */
export interface YamlDocument {
  readonly root: Plain;
  /** Where the value at a path stands: its key, or itself in a list. For what is not there, the nearest around it. */
  readonly placeOf: (path: Path) => Place;
}

/** Both, because a file with a wrong scalar can still be looked through for more; null is a file beyond reading. */
export interface YamlReading {
  readonly document: YamlDocument | null;
  readonly problems: readonly Problem[];
}

/** A value of the schema's type, and where its parts stand. */
export interface TypedYaml<T> {
  readonly value: T;
  readonly placeOf: (path: Path) => Place;
}

/** Reads a file that a user wrote against its schema; `source` is what problems call it. */
export function readYaml<T>(source: string, bytes: Uint8Array, schema: z.ZodType<T>): Outcome<TypedYaml<T>> {
  const { document, problems } = parseYaml(source, bytes);
  if (!document) return { ok: false, problems: inOrder(problems) };
  const checked = checkPlain(schema, document.root, document.placeOf);
  if (checked.ok && problems.length === 0) return { ok: true, value: { ...document, value: checked.value } };
  const more = checked.ok ? [] : withoutEchoes(problems, checked.problems);
  return { ok: false, problems: inOrder([...problems, ...more]) };
}

/**
 * Reads the subset of YAML 1.2 (core schema) in which a file has one meaning: one document of mappings with text keys,
 * lists, text, whole numbers, true and false; no tags, no directives, no duplicate keys, no tabs.
 *
 * The bytes are controlled by whoever writes to the policy folder: any of them give a reading, never an exception.
 */
export function parseYaml(source: string, bytes: Uint8Array): YamlReading {
  const decoded = decodeText(source, bytes);
  if (!decoded.ok) return { document: null, problems: decoded.problems };
  const lines = new LineCounter();
  const placeAt = (offset: number, path: Path = []): Place => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { source, at: { line: Math.max(1, line), column: Math.max(1, col) }, path: printPath(path) };
  };
  const document = compose(decoded.value, lines);
  if ('refused' in document) {
    const problems = document.refused.map(({ offset, message }) => ({ ...placeAt(offset), message }));
    return { document: null, problems: inOrder(problems) };
  }
  const tree = readTree(document.contents, placeAt);
  const placeOf = (path: Path) => nearest(tree.spot, path, placeAt);
  return { document: { root: tree.value, placeOf }, problems: inOrder(tree.problems) };
}

interface Refusal {
  readonly offset: number;
  readonly message: string;
}

/** Duplicate keys are left to `readTree`, which tells where the first one stands. */
function compose(text: string, lines: LineCounter): Document.Parsed | { readonly refused: readonly Refusal[] } {
  try {
    const tokens = new Parser(lines.addNewLine).parse(text);
    const composer = new Composer({ schema: 'core', merge: false, uniqueKeys: false, logLevel: 'silent' });
    const documents = [...composer.compose(tokens, true, text.length)];
    const refused = refusals(text, documents);
    return refused.length > 0 ? { refused } : documents[0]!;
  } catch (error) {
    // The parser promises not to throw; where it does after all, the file is as unreadable as any other.
    return { refused: [{ offset: 0, message: notYaml(error instanceof Error ? error.message : String(error)) }] };
  }
}

function refusals(text: string, documents: readonly Document.Parsed[]): Refusal[] {
  const [first, second] = documents;
  const found = errorsOf(documents);
  const { yaml, tags } = first!.directives;
  if (yaml.explicit || Object.keys(tags).length > 1) {
    const message = 'expected a file without directives; remove the lines that begin with %';
    found.push({ offset: text.search(/^%/m), message });
  }
  if (second) {
    found.push({ offset: second.range[0], message: 'expected one document, got several; remove the line ---' });
  }
  return found;
}

/** One for each place: what the parser says there next follows from the first. */
function errorsOf(documents: readonly Document.Parsed[]): Refusal[] {
  const errors: YAMLError[] = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return [{ offset: 0, message: 'nested too deeply' }];
  const byOffset = new Map(errors.toReversed().map((error) => [error.pos[0], wordsOf(error)]));
  return [...byOffset].map(([offset, message]) => ({ offset, message }));
}

function wordsOf({ code, message }: YAMLError): string {
  return code === 'TAG_RESOLVE_FAILED' ? 'expected a value without a tag' : notYaml(message);
}

/** The parser's own words, fitted to ours. */
function notYaml(words: string): string {
  const text = words.replace(/\.$/, '');
  return `not YAML: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function nearest(root: Spot, path: Path, placeAt: (offset: number, path: Path) => Place): Place {
  let spot = root;
  for (const step of path) {
    const below = spot.below.get(step);
    if (!below) break;
    spot = below;
  }
  return placeAt(spot.offset, path);
}
