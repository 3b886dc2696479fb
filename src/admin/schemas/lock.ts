import { z } from 'zod';
import type { LockStanding } from '../../access/list-locks.js';
import type { Lock } from '../../domain/lock.js';
import type { PersonId, ResourceName } from '../../domain/names.js';
import {
  durationField,
  EXAMPLE,
  nameField,
  printTime,
  printTimeOrNull,
  Subject,
  subjectText,
  textField,
  Time,
  wordField,
} from './fields.js';
import { pageOf, pagingFields } from './page.js';
import { UnappliedAnswer } from './session.js';

/** What to lock, and why. */
export const LockBody = z
  .strictObject({
    target: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('subject'), subject: subjectText }),
        z.strictObject({ kind: z.literal('person'), person: nameField<PersonId>('a person', 'alice') }),
        z.strictObject({ kind: z.literal('resource'), resource: nameField<ResourceName>('a resource', 'orders-db') }),
      ])
      .meta({ description: 'What is denied.' }),
    reason: textField('reason', 'Why, for those who look after the lock.'),
    message: textField('message', 'What whoever it hits is told.').optional(),
    duration: durationField('How long. Default: until it is removed.').optional(),
    unknownOk: z.boolean().optional().meta({
      description:
        'Lock a person or a resource even if nothing is known of that name. Default: false, and it is refused.',
    }),
  })
  .meta({
    id: 'LockBody',
    [EXAMPLE]: { target: { kind: 'person', person: 'alice' }, reason: 'incident 12', message: 'call the duty desk' },
  });

const LOCK_STATES = ['in_force', 'expired'] as const;

/** Which locks to list. */
export const LockQuery = z.strictObject({
  ...pagingFields,
  state: wordField(LOCK_STATES, 'Only those in this state.').optional(),
});

const LockTargetAnswer = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('subject'), subject: Subject }),
    z.strictObject({ kind: z.literal('person'), person: z.string() }),
    z.strictObject({ kind: z.literal('resource'), resource: z.string() }),
  ])
  .meta({ id: 'LockTarget' });

/** A lock in answers to those who look after locks. */
export const LockAnswer = z
  .strictObject({
    id: z.string().meta({ examples: ['lock_01kdg2h5v8e6v9m4s7w3x2y1z0'] }),
    target: LockTargetAnswer,
    reason: z.string(),
    message: z.string(),
    createdAt: Time,
    createdBy: z.string(),
    expiresAt: Time.nullable().meta({ description: 'Null: until it is removed.' }),
    state: z.enum(LOCK_STATES),
  })
  .meta({ id: 'Lock', description: 'A lock and whether it is in force.' });

/** A lock in the answer to its making. */
export const NewLockAnswer = LockAnswer.extend({
  hit: z
    .strictObject({
      grants: z
        .int()
        .nullable()
        .meta({ description: 'Grants that it denies; null where there are too many to count.' }),
      sessions: z.int().meta({ description: 'Sessions that it has cut, or is cutting.' }),
    })
    .meta({ description: 'What it has hit.' }),
  warning: z.string().nullable().meta({ description: 'Why the target may not be the one that was meant.' }),
}).meta({ id: 'NewLock' });

/** The same while guards have not applied it. */
export const UnappliedLockAnswer = NewLockAnswer.extend({ unapplied: UnappliedAnswer }).meta({ id: 'UnappliedLock' });

/** A lock in the answer to its end. */
export const RemovedLockAnswer = LockAnswer.extend({ state: z.literal('removed') }).meta({ id: 'RemovedLock' });

/** A page of locks in answers. */
export const LockPage = pageOf(LockAnswer, 'LockPage');

/** A lock as whoever it hits is told of it: without the reason, which is for those who look after it. */
export const LockHitAnswer = z
  .strictObject({ id: z.string(), target: LockTargetAnswer, message: z.string(), expiresAt: Time.nullable() })
  .meta({ id: 'LockHit' });

/** How a lock is shown. */
export function lockView({ lock, state }: LockStanding): z.output<typeof LockAnswer> {
  const { reason, createdBy } = lock;
  return { ...lockHitView(lock), reason, createdBy, createdAt: printTime(lock.createdAt), state };
}

/** How a lock is shown to whoever it hits. */
export function lockHitView({ id, target, message, expiresAt }: Lock): z.output<typeof LockHitAnswer> {
  return { id, target, message, expiresAt: printTimeOrNull(expiresAt) };
}
