import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../domain/errors.js';
import { InputError, type InputProblem } from './problem.js';

/** Validates a part of each call with its zod schema. What it makes of the part replaces it. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = httpPart === 'querystring' ? 'query' : httpPart === 'params' ? 'path' : 'body';
  return (data: unknown) => {
    const read = schema.safeParse(data, { reportInput: true });
    return read.success ? { value: read.data } : { error: inputError(part, read.error.issues) };
  };
};

function inputError(part: InputProblem['in'], issues: readonly z.core.$ZodIssue[]): InputError {
  const problems = issues.flatMap((issue) =>
    details(issue).map(({ path, detail }) => ({ in: part, pointer: pointerTo(path), detail })),
  );
  return new InputError(sharedCode(issues), problems);
}

/** Where the parsers of the domain found all of the problems, and they are of one kind, the code says so. */
function sharedCode(issues: readonly z.core.$ZodIssue[]): ErrorCode {
  const codes = new Set(issues.map((issue) => (issue.code === 'custom' ? issue.params?.['code'] : undefined)));
  const [only] = codes;
  return codes.size === 1 && only !== undefined ? (only as ErrorCode) : 'invalid_request';
}

interface Detail {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

function details(issue: z.core.$ZodIssue): readonly Detail[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], detail: 'there is no such field; remove it' }));
  return [{ path, detail: detailOf(issue) }];
}

function detailOf(issue: z.core.$ZodIssue): string {
  const got = issue.input === undefined ? 'nothing' : quote(issue.input);
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected === 'record' ? 'object' : issue.expected}, got ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}, got ${got}`;
    case 'too_small':
      return `expected at least ${issue.minimum} ${unitOf(issue.origin)}, got ${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum} ${unitOf(issue.origin)}, got ${got}`;
    case 'invalid_union':
      return `expected one of ${JSON.stringify('options' in issue ? issue.options : [])} here`;
    case 'custom':
      return issue.message;
    default:
      return `expected another value, got ${got}`;
  }
}

function unitOf(origin: string): string {
  return origin === 'string' ? 'characters' : origin === 'array' ? 'items' : '';
}

/** The input as JSON, cut: it may be long, and it goes back to whoever sent it. */
function quote(input: unknown): string {
  const text = JSON.stringify(input) ?? typeof input;
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
