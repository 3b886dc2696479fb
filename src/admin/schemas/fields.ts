import { z } from 'zod';
import { parseDuration } from '../../domain/durations.js';
import { AccessError } from '../../domain/errors.js';
import { NAME, type PersonId } from '../../domain/names.js';
import type { Patterns as PatternsOf } from '../../domain/resource.js';
import { plainText } from '../../domain/text.js';
import type { Instant } from '../../domain/time.js';

// What callers send.

/** A query or a body that has no fields. */
export const NOTHING = z.strictObject({});

/** An example of a whole body: plain `examples` are lost where a schema also transforms what it reads. */
export const EXAMPLE = 'x-example';

/** Longer than anything that a parser takes, and short enough to be quoted back. */
const MAX_LENGTH = 4_096;

/** Text that a parser of the domain reads; what the parser says is the problem. */
function parsed<T>(parse: (text: string) => T, describe: Readonly<Record<string, unknown>>) {
  return z
    .string()
    .meta(describe)
    .transform((text, context): T => {
      try {
        if (text.length > MAX_LENGTH)
          throw new AccessError('invalid_request', `expected at most ${MAX_LENGTH} characters`);
        return parse(text);
      } catch (error) {
        if (!(error instanceof AccessError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, params: { code: error.code } });
        return z.NEVER;
      }
    });
}

/** A length of time, as `1h30m` or `PT1H30M`. */
export function durationField(description: string) {
  return parsed(parseDuration, {
    description: `${description} Weeks to seconds, largest first, such as \`1h30m\`; or ISO 8601, such as \`PT1H30M\`.`,
    pattern:
      '^(?:(?=[0-9])(?:[0-9]{1,9}w)?(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?|P(?=[0-9T])(?:[0-9]{1,9}W)?(?:[0-9]{1,9}D)?(?:T(?=[0-9])(?:[0-9]{1,9}H)?(?:[0-9]{1,9}M)?(?:[0-9]{1,9}S)?)?)$',
    examples: ['1h30m'],
  });
}

/** Free text of at most 4096 bytes, trimmed. */
export function textField(name: string, description: string) {
  return parsed((text) => plainText(name, text), {
    description: `${description} At most 4096 bytes, without control characters and marks that change the direction of text.`,
    maxLength: MAX_LENGTH,
  });
}

/** A name as policy files give them. What it names is looked up later. */
export function nameField<T extends string>(what: string, example: string) {
  return parsed((text) => named(text, what) as T, {
    description: `Name of ${what}.`,
    pattern: NAME.source,
    examples: [example],
  });
}

/** An instant, in UTC. */
export function instantField(description: string) {
  return parsed(parseInstant, {
    description: `${description} RFC 3339, in UTC.`,
    format: 'date-time',
    examples: ['2026-01-01T09:30:00.000Z'],
  });
}

/** A subject as people write it: the trust name may be left out where there is only one. Read by the route. */
export const subjectText = z
  .string()
  .min(1)
  .max(2_200)
  .meta({
    description: 'A subject. The name of the trust entry may be left out where there is exactly one.',
    examples: ['corp/spiffe://corp/alice'],
  });

/** A person in a filter: by name, or by the subject that nobody claims. Whoever is not known has nothing. */
export const personField = z
  .string()
  .min(1)
  .max(2_200)
  .meta({ description: 'Only those of this person.', examples: ['alice'] })
  .transform((text) => text as PersonId);

/** `true` or `false` in a query. */
export function flagField(description: string) {
  return parsed((text) => flag(text), { type: 'boolean', description });
}

/** How many things a page holds at most. */
export const limitField = parsed(parseLimit, {
  type: 'integer',
  minimum: 1,
  maximum: 500,
  default: 50,
  description: 'How many items the page holds at most.',
}).default(50);

/** Where the page before ended. Read by `paging.ts`. */
export const cursorField = z
  .string()
  .max(1_024)
  .meta({ description: 'The `next` of the page before, with the same filters.' });

/** Words of which one is given. */
export function wordField<const W extends readonly [string, ...string[]]>(words: W, description: string) {
  return z.enum(words).meta({ description });
}

function named(text: string, what: string): string {
  if (NAME.test(text)) return text;
  throw new AccessError('invalid_request', `expected the name of ${what}, got ${JSON.stringify(text)}`);
}

function flag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new AccessError('invalid_request', `expected true or false, got ${JSON.stringify(text)}`);
}

function parseLimit(text: string): number {
  if (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= 500) return Number(text);
  throw new AccessError('invalid_request', `expected a whole number from 1 to 500, got ${JSON.stringify(text)}`);
}

function parseInstant(text: string): Instant {
  const [, whole] = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,3})?Z$/.exec(text) ?? [];
  const instant = whole === undefined ? Number.NaN : Date.parse(text);
  // The calendar is asked back: a 30th of February is no day in March.
  if (!Number.isNaN(instant) && new Date(instant).toISOString().startsWith(whole!)) return instant as Instant;
  throw new AccessError(
    'invalid_request',
    `expected an instant in UTC such as 2026-01-01T09:30:00Z, got ${JSON.stringify(text)}`,
  );
}

// What answers hold.

/** An instant in answers. */
export const Time = z.string().meta({ format: 'date-time', examples: ['2026-01-01T09:30:00.000Z'] });

/** A length of time in answers. */
export const Length = z.string().meta({ examples: ['1h30m'] });

/** A subject in answers, always with its trust name. */
export const Subject = z.string().meta({ examples: ['corp/spiffe://corp/alice'] });

/** RFC 3339 in UTC with milliseconds. */
export function printTime(instant: Instant): string {
  return new Date(instant).toISOString();
}

/** As `printTime`, where there may be no time. */
export function printTimeOrNull(instant: Instant | null): string | null {
  return instant === null ? null : printTime(instant);
}

/** What named actions mean, in answers. */
export const Patterns = z.record(z.string(), z.array(z.string())).meta({
  description: 'What the named actions mean, frozen when they were asked for.',
  examples: [{ read: ['GET /**'] }],
});

/** How patterns are shown. */
export function patternsView(patterns: PatternsOf): z.output<typeof Patterns> {
  return Object.fromEntries(Object.entries(patterns).map(([action, texts]) => [action, [...texts]]));
}
