/** Where something stands that a user wrote: in a file, in a variable, in a flag. */
export interface Place {
  /** Name of the file, the variable or the flag. */
  readonly source: string;
  /** Both count from 1, columns in UTF-16 code units; null where there are no lines. */
  readonly at: { readonly line: number; readonly column: number } | null;
  /** Keys from the top, as in `policies.prod-data.approval[0].count`; empty for the whole. */
  readonly path: string;
}

/** What is wrong at a place, or for a warning, what looks wrong. */
export interface Problem extends Place {
  readonly message: string;
}

/** What came of reading something that a user wrote. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Keys and list positions (from 0) from the top of a file. */
export type Path = readonly (string | number)[];

/** More than these help nobody. */
const MAX_PROBLEMS = 20;

/** Messages quote what they complain about, and that may be anything. */
const MAX_MESSAGE = 1_000;

/** `file:line:column path: what was expected`. */
export function printProblem(problem: Problem): string {
  return `${printPlace(problem)}${problem.path && ` ${problem.path}`}: ${problem.message}`;
}

export function printPlace({ source, at }: Place): string {
  return at ? `${source}:${at.line}:${at.column}` : source;
}

export function printPath(path: Path): string {
  return path
    .map((step) =>
      typeof step === 'number' ? `[${step}]` : `.${/^[\w.-]+$/.test(step) ? step : JSON.stringify(step)}`,
    )
    .join('')
    .replace(/^\./, '');
}

/** The first of them in the order of the files. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems
    .toSorted(byPlace)
    .slice(0, MAX_PROBLEMS)
    .map((problem) => ({ ...problem, message: problem.message.slice(0, MAX_MESSAGE) }));
}

/**
 * Of `later` what does not stand where something of `first` stands already: when a value is no YAML of ours, that it then
 * does not fit its schema says nothing new.
 */
export function withoutEchoes(first: readonly Problem[], later: readonly Problem[]): Problem[] {
  const whereOf = (problem: Problem) => `${printPlace(problem)} ${problem.path}`;
  const told = new Set(first.map(whereOf));
  return later.filter((problem) => !told.has(whereOf(problem)));
}

function byPlace(a: Place, b: Place): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0);
}

/** Collects what is found on the way, so that one reading tells everything. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  problem(place: Place, message: string): void {
    this.problems.push({ ...place, message });
  }

  warning(place: Place, message: string): void {
    this.warnings.push({ ...place, message });
  }
}
