import { z } from 'zod';
import type { Option, ResourceStanding } from '../../access/list-resources.js';
import { HARD_CEILING, printDuration } from '../../domain/durations.js';
import { actionsOf } from '../../domain/resource.js';
import type { Duration } from '../../domain/time.js';
import { Length, Subject } from './fields.js';
import { pageOf, pagingFields } from './page.js';

/** Which resources to list. */
export const ResourceQuery = z.strictObject(pagingFields);

const OptionAnswer = z
  .strictObject({
    subject: Subject,
    policy: z.string(),
    actions: z.array(z.string()),
    duration: z.strictObject({ default: Length, max: Length }),
    justification: z.enum(['required', 'optional']),
    approvals: z.int().meta({ description: 'How many people must approve.' }),
  })
  .meta({ id: 'Option', description: 'One way to ask: for this subject, under this policy.' });

/** A resource in answers. Where it lies behind Envoy is not told. */
export const ResourceAnswer = z
  .strictObject({
    name: z.string().meta({ examples: ['orders-db'] }),
    description: z.string(),
    labels: z.record(z.string(), z.string()),
    actions: z.array(z.string()),
    authorities: z.array(z.string()).meta({ description: 'Hosts under which it is reached over HTTP.' }),
    host: z
      .string()
      .nullable()
      .meta({ description: 'Host at which Envoy is reached; null where this service does not know.' }),
    port: z.int().nullable().meta({ description: 'Port at which it is reached over TCP.' }),
    serverName: z.string().nullable().meta({
      description: 'Name that a TCP client must ask for in its TLS handshake; null: that of the host.',
    }),
    options: z.array(OptionAnswer).meta({ description: 'What you may ask for.' }),
  })
  .meta({ id: 'Resource' });

/** A page of resources in answers. */
export const ResourcePage = pageOf(ResourceAnswer, 'ResourcePage');

/** How a resource is shown. */
export function resourceView(
  { resource, options }: ResourceStanding,
  host: string | null,
): z.output<typeof ResourceAnswer> {
  const { name, description, labels, http, tcp } = resource;
  return {
    name,
    description,
    labels: { ...labels },
    actions: [...actionsOf(resource)],
    authorities: [...(http?.authority ?? [])],
    host,
    port: tcp?.port ?? null,
    serverName: tcp?.sni ?? null,
    options: options.map(optionView),
  };
}

function optionView({ subject, policy, actions }: Option): z.output<typeof OptionAnswer> {
  const { name, duration, justification, approval } = policy;
  const max = Math.min(duration.max, HARD_CEILING) as Duration;
  return {
    subject,
    policy: name,
    actions: [...actions],
    justification,
    approvals: approval.count,
    duration: { default: printDuration(duration.default), max: printDuration(max) },
  };
}
