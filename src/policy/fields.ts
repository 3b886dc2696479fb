import { z } from 'zod';
import { parseDuration } from '../domain/durations.js';
import { AccessError } from '../domain/errors.js';
import { NAME } from '../domain/names.js';
import { expected } from './expected.js';
import { parseHostPort, printHostPort } from './host-port.js';
import { didYouMean } from '../domain/near-miss.js';

/** A mapping of exactly these keys. What is unknown is told key by key (`expected.ts` reads the list of known ones). */
export function closed<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? keys.join(' ') : expected(`a mapping with ${keys.join(', ')}`, issue.input),
  });
}

/** A mapping whose keys are names that the author chooses; `reserved` ones mean something already. */
export function named<V extends z.ZodType>(what: string, value: V, reserved: Readonly<Record<string, string>> = {}) {
  const key = parsed('a name', (text) => {
    if (!NAME.test(text)) throw new AccessError('invalid_request', expected(`a name for ${what} ${NAME_RULE}`, text));
    const meaning = Object.hasOwn(reserved, text) ? reserved[text] : undefined;
    if (meaning !== undefined) {
      throw new AccessError(
        'invalid_request',
        `expected another name for ${what}, got ${JSON.stringify(text)}, which ${meaning}`,
      );
    }
    return text;
  });
  return z.record(key, value, { error: (issue) => expected(`a mapping from the name of ${what}`, issue.input) });
}

const NAME_RULE = '(1 to 63 of a-z, 0-9, ".", "_" and "-", first and last a letter or a digit)';

/** A list in which nothing stands twice. */
export function listOf<V extends z.ZodType>(what: string, item: V) {
  return z
    .array(item, { error: (issue) => expected(`a list of ${what}`, issue.input) })
    .superRefine((items, context) => {
      const seen = new Set<string>();
      for (const [i, value] of items.entries()) {
        const text = JSON.stringify(value);
        if (seen.has(text)) context.addIssue({ code: 'custom', path: [i], message: 'listed twice; remove one' });
        seen.add(text);
      }
    });
}

export function nonEmptyListOf<V extends z.ZodType>(what: string, item: V) {
  return listOf(what, item).refine((items) => items.length > 0, {
    error: expected(`a list of ${what} with at least one`, []),
  });
}

export function text(what: string) {
  return z.string({ error: (issue) => expected(what, issue.input) }).min(1, { error: expected(what, '') });
}

/** Text that a parser of ours reads; what the parser says is the problem. */
export function parsed<T>(what: string, parse: (text: string) => T) {
  return z.string({ error: (issue) => expected(what, issue.input) }).transform((input, context): T => {
    try {
      return parse(input);
    } catch (error) {
      if (!(error instanceof AccessError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** As `parsed`, for what either matches or does not. */
export function matching<T>(what: string, match: (text: string) => T | null) {
  return parsed(what, (input) => {
    const value = match(input);
    if (value === null) throw new AccessError('invalid_request', expected(what, input));
    return value;
  });
}

export function duration() {
  return parsed('a duration such as 30m, 1h30m or PT8H', parseDuration);
}

/** Where something is reached, in its one spelling. */
export function upstream() {
  return matching('host:port such as "10.0.0.7:5432"', (input) => {
    const address = parseHostPort(input);
    return address && address.port > 0 ? printHostPort(address) : null;
  });
}

export function whole(min: number, max: number) {
  const what = `a whole number from ${min} to ${max}`;
  const error = (issue: { readonly input?: unknown }) => expected(what, issue.input);
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

export function flag() {
  return z.boolean({ error: (issue) => expected('true or false', issue.input) });
}

export function oneOf<const V extends readonly [string, ...string[]]>(...values: V) {
  const what = values.length === 1 ? values[0] : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  return z.enum(values, {
    error: ({ input }) => expected(what, input) + (typeof input === 'string' ? didYouMean(input, values) : ''),
  });
}
