import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { AccessError } from '../domain/errors.js';
import { isId, type DraftId, type GrantId, type IdOf } from '../domain/ids.js';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { ProblemDocument } from './schemas/problem.js';

/** What every call may be answered with, whatever it is for. */
export const ANYTHING = ['invalid_request', 'too_slow', 'headers_too_large'] as const satisfies readonly ProblemCode[];

/** What every call under /v1 may be answered with. */
export const ANY_CALL = [
  ...ANYTHING,
  'unauthenticated',
  'too_many_calls',
  'internal_error',
  'shutting_down',
  'storage_failed',
] as const satisfies readonly ProblemCode[];

/** What every change may be answered with, besides. */
export const ANY_CHANGE = [...ANY_CALL, 'not_permitted', 'storage_full'] as const;

/** What every call with a body may be answered with, besides. */
export const ANY_BODY = ['body_too_large', 'unsupported_media_type'] as const satisfies readonly ProblemCode[];

/** What the description of the API says about one operation. */
export function told(tag: string, operationId: string, summary: string, description = '') {
  return { tags: [tag], operationId, summary, ...(description && { description }) };
}

/** The answers of a route: what it gives when it goes well, and the problems there can be. */
export function answers<const S extends Readonly<Record<number, z.ZodType>>>(
  success: S,
  codes: readonly ProblemCode[],
): S {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code][0]))];
  const problems = statuses.map((status) => [
    status,
    {
      description: `${STATUS_CODES[status]}: ${namesOf(codes.filter((code) => PROBLEMS[code][0] === status))}`,
      content: { 'application/problem+json': { schema: ProblemDocument } },
    },
  ]);
  return { ...success, ...Object.fromEntries(problems) };
}

function namesOf(codes: readonly ProblemCode[]): string {
  return [...new Set(codes)].map((code) => `\`${code}\``).join(', ');
}

/** The one part of a path that varies. */
export const IdParams = z.strictObject({ id: z.string().meta({ description: 'Its id.' }) });

/**
 * An id out of a path.
 *
 * @throws {AccessError} `not_found` for what is no id, as for one that is nothing's
 */
export function idOf<P extends keyof IdOf | 'gr' | 'dft'>(prefix: P, { id }: { readonly id: string }): IdNamed<P> {
  if (isId(prefix, id)) return id as IdNamed<P>;
  throw new AccessError('not_found', `no ${WHAT[prefix]} ${JSON.stringify(id.slice(0, 100))}`);
}

type IdNamed<P extends keyof IdOf | 'gr' | 'dft'> = P extends keyof IdOf ? IdOf[P] : P extends 'gr' ? GrantId : DraftId;

const WHAT: Record<keyof IdOf | 'gr' | 'dft', string> = {
  req: 'request',
  rev: 'review',
  gr: 'grant',
  dft: 'draft',
  lock: 'lock',
  dec: 'decision',
  tok: 'token',
  ses: 'session',
};
