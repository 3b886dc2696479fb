import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../domain/durations.js';
import { isId, type IdOf } from '../domain/ids.js';

type Prefix = keyof IdOf | 'gr' | 'dft';

const WHAT: Record<Prefix, string> = {
  req: 'a request',
  rev: 'a review',
  gr: 'a grant',
  dft: 'a draft',
  lock: 'a lock',
  dec: 'a decision',
  tok: 'a token',
  ses: 'a session',
};

/** Reads the id of one kind of thing; says which kind it is when it is another. */
export function idOf(prefix: Prefix): (text: string) => string {
  return (text) => {
    if (isId(prefix, text)) return text;
    const other = (Object.keys(WHAT) as Prefix[]).find((one) => isId(one, text));
    const got = other ? `, that is the id of ${WHAT[other]}` : '';
    throw new InvalidArgumentError(`expected the id of ${WHAT[prefix]}, as in ${prefix}_…${got}`);
  };
}

/** Checks a length of time, and leaves it as it was typed. */
export function durationText(text: string): string {
  try {
    parseDuration(text);
    return text;
  } catch (error) {
    // So that the parser of the command line names the option.
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Reads how many things a listing shows at most. */
export function limit(text: string): number {
  if (/^[1-9][0-9]{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1 to 99999');
}

/** Collects what may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Checks an instant in RFC 3339 with its offset; gives it in UTC. */
export function instant(text: string): string {
  const isWhole = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const at = isWhole ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new InvalidArgumentError('expected an instant such as 2026-01-01T09:30:00Z');
}
