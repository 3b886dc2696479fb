import type { FastifyInstance } from 'fastify';

// oxlint-disable-next-line typescript/no-explicit-any -- a document that is looked into from all sides
type Json = any;

/** What there is in the service that is fuzzed: without it nearly every generated id would be nobody's. */
export interface Pool {
  readonly ids: Readonly<
    Record<'requests' | 'drafts' | 'grants' | 'locks' | 'decisions' | 'tokens' | 'sessions', readonly string[]>
  >;
  readonly digests: readonly string[];
  readonly subjects: readonly string[];
}

/**
 * The description, with fields and ids narrowed to what there is. Calls made from it get past the first checks and into
 * the rules. What is answered must fit the description all the same.
 */
export async function narrowedDescription(app: FastifyInstance, { ids, digests, subjects }: Pool): Promise<Json> {
  const description: Json = JSON.parse((await app.inject('/openapi.json')).payload);
  const fields: Record<string, readonly string[]> = {
    resource: ['orders-db', 'billing-api', 'nothing'],
    policy: ['prod-data'],
    subject: subjects,
    digest: digests,
    duration: ['1s', '30m', 'PT4H', '5h', '10d'],
    person: ['alice', 'dave', 'nobody'],
    path: ['/invoices/7', '/admin/reindex', '/a//b'],
    method: ['GET', 'POST'],
  };
  for (const [path, item] of Object.entries<Json>(description.paths)) {
    const [, kind] = /^\/v1\/(\w+)\/\{id\}/.exec(path) ?? [];
    for (const operation of Object.values<Json>(item)) {
      for (const parameter of operation.parameters ?? []) {
        if (parameter.in === 'path') parameter.schema = { type: 'string', enum: ids[kind as keyof Pool['ids']] };
        else narrow(parameter.schema, fields[parameter.name]);
        if (parameter.name === 'cursor') parameter.schema = { type: 'string', enum: ['', 'x'] };
      }
    }
  }
  for (const [name, schema] of Object.entries<Json>(description.components.schemas)) {
    if (!name.endsWith('Body')) continue;
    for (const [field, member] of Object.entries<Json>(schema.properties)) narrow(member, fields[field]);
    for (const one of schema.properties.target?.oneOf ?? [])
      for (const [field, member] of Object.entries<Json>(one.properties)) narrow(member, fields[field]);
  }
  return description;
}

/** Leaves the schema and says which words there are. */
function narrow(schema: Json, words: readonly string[] | undefined): void {
  if (words === undefined || schema.type !== 'string') return;
  for (const keyword of ['pattern', 'examples', 'minLength', 'maxLength']) delete schema[keyword];
  schema.enum = words;
}
