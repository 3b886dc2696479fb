import { isAbsolute, relative } from 'node:path';
import { printProblem, type Problem } from '../../policy/problem.js';

/** `file:line:column …` lines, their files as a person in that folder would write them. */
export function printProblemsFrom(cwd: string, problems: readonly Problem[]): string[] {
  return problems.map((problem) => printProblem({ ...problem, source: shownFrom(cwd, problem.source) }));
}

/** A path as a person in that folder would write it. What is no absolute path (a variable, a flag) stays as it is. */
export function shownFrom(cwd: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const way = relative(cwd, path);
  return way === '' || way.startsWith('..') ? path : way;
}
