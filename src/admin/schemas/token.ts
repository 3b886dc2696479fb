import { z } from 'zod';
import type { TokenStanding } from '../../access/list-tokens.js';
import {
  durationField,
  EXAMPLE,
  flagField,
  printTime,
  printTimeOrNull,
  Subject,
  subjectText,
  Time,
  wordField,
} from './fields.js';
import { pageOf, pagingFields } from './page.js';

/** Which token to make. */
export const TokenBody = z
  .strictObject({
    service: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .meta({
        description: 'Makes a service token of this name instead of one for yourself.',
        examples: ['ci-runner'],
      }),
    subject: subjectText.optional(),
    duration: durationField('How long. Default: 8h for yourself, 30d for a service.').optional(),
  })
  .meta({ id: 'TokenBody', [EXAMPLE]: { duration: '8h' } });

const TOKEN_STATES = ['usable', 'expired', 'revoked'] as const;

/** Which tokens to list. */
export const TokenQuery = z.strictObject({
  ...pagingFields,
  state: wordField(TOKEN_STATES, 'Only those in this state.').optional(),
  mine: flagField('Only your own.').optional(),
});

const fields = {
  id: z.string().meta({ examples: ['tok_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
  holder: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('person'), person: z.string() }),
      z.strictObject({ kind: z.literal('service'), name: z.string(), subject: Subject.nullable() }),
    ])
    .meta({ description: 'Whom the token speaks for. Services never review.' }),
  createdAt: Time,
  createdBy: z.string(),
  expiresAt: Time,
  revokedAt: Time.nullable(),
  state: z.enum(TOKEN_STATES),
};

/** A token in answers. */
export const TokenAnswer = z
  .strictObject(fields)
  .meta({ id: 'Token', description: 'A bearer token, without its secret.' });

/** A new token with its secret. */
export const NewTokenAnswer = z
  .strictObject({ ...fields, secret: z.string().meta({ description: 'Shown this once and kept nowhere.' }) })
  .meta({ id: 'NewToken' });

/** A page of tokens in answers. */
export const TokenPage = pageOf(TokenAnswer, 'TokenPage');

/** How a token is shown. */
export function tokenView({ token, state }: TokenStanding): z.output<typeof TokenAnswer> {
  const { id, holder, createdBy, createdAt, expiresAt, revokedAt } = token;
  return {
    id,
    holder,
    createdBy,
    state,
    createdAt: printTime(createdAt),
    expiresAt: printTime(expiresAt),
    revokedAt: printTimeOrNull(revokedAt),
  };
}
