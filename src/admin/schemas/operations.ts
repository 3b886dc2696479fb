import { z } from 'zod';
import type { Actor } from '../../domain/actor.js';
import { ROLES, type Role } from '../../domain/roles.js';
import type { Subject as SubjectText } from '../../domain/subject.js';
import { Subject } from './fields.js';

/** That the process runs. */
export const HealthAnswer = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });

/** Asks for the checks one by one. */
export const ReadyQuery = z.strictObject({
  verbose: z
    .enum(['', 'true', 'false'])
    .optional()
    .meta({ description: 'With the checks one by one; `?verbose` is enough.' }),
});

/** The checks that readiness consists of. */
export const CHECKS = ['serving', 'store', 'clock', 'policies', 'disk'] as const;

/** Whether the service can decide, and what keeps it from that. */
export const ReadyAnswer = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.record(z.enum(CHECKS), z.enum(['ok', 'failed'])).optional(),
  })
  .meta({ id: 'Ready' });

/** Which version runs. */
export const VersionAnswer = z.strictObject({ version: z.string(), api: z.literal('v1') }).meta({ id: 'Version' });

/** Who the caller is to the service. */
export const WhoamiAnswer = z
  .strictObject({
    kind: z.enum(['person', 'subject', 'service', 'host', 'system']),
    name: z.string().meta({ description: 'As the log writes it.', examples: ['alice'] }),
    person: z.string().nullable().meta({ description: 'Null where the policy folder knows nobody.' }),
    subjects: z.array(Subject).meta({ description: 'What you may ask access for.' }),
    roles: z.array(z.enum(ROLES)),
    via: z.string().meta({ description: '`certificate`, `socket`, or the id of the token.' }),
  })
  .meta({ id: 'Whoami' });

/** How an actor is shown to itself. */
export function whoamiView(
  actor: Actor,
  { name, subjects, roles }: { name: string; subjects: readonly SubjectText[]; roles: readonly Role[] },
): z.output<typeof WhoamiAnswer> {
  return {
    kind: actor.kind,
    name,
    person: actor.kind === 'person' ? actor.person : null,
    subjects: [...subjects],
    roles: [...roles],
    via: actor.kind === 'host' || actor.kind === 'system' ? 'socket' : actor.via,
  };
}
