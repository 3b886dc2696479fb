import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { AdminApp } from './api.js';
import { answers, ANYTHING, told } from './operation.js';
import { EXAMPLE, NOTHING } from './schemas/fields.js';

/** What is told of the API as a whole. */
const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'Portcullis',
    version: 'v1',
    summary: 'Just-in-time access for connections that Envoy authenticates with mTLS.',
    description:
      'Times are RFC 3339 in UTC, lengths of time are written as `1h30m`. Listings come in pages: take `next` of one as `cursor` of the following. Errors are problem documents (RFC 9457); programs look at `code`. What one may not see is not found.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/', description: 'This service.' }],
  tags: [
    { name: 'requests', description: 'Asking for access and reviewing.' },
    { name: 'drafts', description: 'What refused connections have left to ask for.' },
    { name: 'grants', description: 'The access that came of it.' },
    { name: 'sessions', description: 'What is connected under the grants.' },
    { name: 'locks', description: 'Denying in spite of grants.' },
    { name: 'decisions', description: 'What checks were answered with, and why.' },
    { name: 'tokens', description: 'Credentials besides client certificates.' },
    { name: 'policies', description: 'Who may ask for what.' },
    { name: 'events', description: 'What happens, as it happens.' },
    { name: 'operations', description: 'Whether and as what the service runs.' },
  ],
  components: {
    securitySchemes: {
      certificate: { type: 'mutualTLS', description: 'A client certificate of one of the trust entries.' },
      token: { type: 'http', scheme: 'bearer', description: 'A bearer token, from `POST /v1/tokens`.' },
    },
  },
} as const;

const ANY_CREDENTIAL = [{ certificate: [] }, { token: [] }];

/** Collects the description of the API. Called before the routes that it describes are added. */
export function describeApi(app: FastifyInstance): void {
  void app.register(swagger, {
    openapi: ABOUT as never,
    transform: describeRoute,
    transformObject: (document) => finish(jsonSchemaTransformObject(document) as never) as never,
  });
}

/** The route of the description itself. Anybody may call it, so it is written once and then kept. */
export function addDescriptionRoute(app: AdminApp): void {
  let text: string | undefined;
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { open: true },
    schema: {
      ...told('operations', 'getDescription', 'This description'),
      querystring: NOTHING,
      response: answers({ 200: z.record(z.string(), z.unknown()) }, ANYTHING),
    },
    handler: async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send((text ??= JSON.stringify(app.swagger())) as never),
  });
}

const HEADERS = {
  'x-request-id': {
    type: 'string',
    description: 'Names this call in the log; echoed. One is made where none is given or it could do harm.',
  },
  'idempotency-key': {
    type: 'string',
    pattern: '^[ -~]{1,128}$',
    description: 'Names this call: repeating it under the same key does nothing twice and gives the first result.',
  },
  'if-match': {
    type: 'string',
    pattern: '^(?:\\*|"[!#-~]*")$',
    description: 'The ETag of what you have seen. The call is refused when there is another revision by now.',
  },
  'last-event-id': {
    type: 'string',
    description: 'The `id` of the last event that you have heard; it goes on from there.',
  },
  'if-none-match': { type: 'string', description: 'The ETag of the answer that you have already.' },
} as const;

/** Adds what the schemas do not say: headers, and who may call. */
const describeRoute: typeof jsonSchemaTransform = (document) => {
  const { schema, url } = jsonSchemaTransform(document);
  const { config, method } = document.route;
  const reading = method === 'GET' && !config?.open && !config?.stream;
  const names = [
    'x-request-id',
    ...(config?.takes ?? []),
    ...(reading ? ['if-none-match'] : []),
    ...(config?.stream ? ['last-event-id'] : []),
  ] as const;
  const properties = Object.fromEntries(names.map((name) => [name, HEADERS[name as keyof typeof HEADERS]]));
  return {
    url,
    schema: {
      ...schema,
      headers: { type: 'object', properties },
      security: config?.open ? [] : ANY_CREDENTIAL,
      ...(config?.bodyOptional && { [BODY_OPTIONAL]: true }),
      ...(config?.stream && { [STREAM]: true }),
    },
  };
};

const BODY_OPTIONAL = 'x-body-optional';
const STREAM = 'x-stream';

interface Answer {
  description: string;
  headers?: Record<string, unknown>;
}

interface Operation {
  [BODY_OPTIONAL]?: true;
  [STREAM]?: true;
  requestBody?: { required: boolean };
  security?: readonly unknown[];
  responses: Record<string, Answer>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

function finish(description: Description): Description {
  for (const operations of Object.values(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) finishOperation(method, operation);
  }
  return withPlainSchemas(description);
}

function finishOperation(method: string, operation: Operation): void {
  if (operation[BODY_OPTIONAL] && operation.requestBody) operation.requestBody.required = false;
  delete operation[BODY_OPTIONAL];
  const closed = operation.security?.length !== 0;
  const tagged = closed && !operation[STREAM];
  delete operation[STREAM];
  if (method === 'get' && tagged) operation.responses['304'] = { description: '' };
  for (const [status, given] of Object.entries(operation.responses)) {
    const plain = status.startsWith('2') || given.description === '' || given.description === 'Default Response';
    if (plain) given.description = STATUS_CODES[status] ?? status;
    given.headers = Object.fromEntries(
      headersOf(status, tagged).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    );
  }
}

const text = (description: string) => ({ description, schema: { type: 'string' } });

const ANSWER_HEADERS = {
  'X-Request-Id': text('Names this call in the log.'),
  ETag: text('For `If-Match` and `If-None-Match`.'),
  Location: text('Path of what was made.'),
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': text('How to say who you are.'),
} as const;

function headersOf(status: string, isTagged: boolean): readonly (keyof typeof ANSWER_HEADERS)[] {
  const tagged = isTagged && (status.startsWith('2') || status === '304');
  return [
    'X-Request-Id',
    ...(tagged ? (['ETag'] as const) : []),
    ...(status === '201' ? (['Location'] as const) : []),
    ...(status === '429' ? (['Retry-After'] as const) : []),
    ...(status === '401' ? (['WWW-Authenticate'] as const) : []),
  ];
}

/**
 * The schemas that are used, under plain names, with their examples. Every schema is offered for input, under a name
 * that ends in `Input`, and for output; each of ours is used for one of them.
 */
function withPlainSchemas(description: Description): Description {
  const { schemas } = description.components;
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name!)) continue;
      used.add(name!);
      visit(schemas[name!]);
    }
  };
  visit(description.paths);
  const kept = Object.fromEntries(
    [...used].sort().map((name) => {
      const { [EXAMPLE]: example, ...schema } = schemas[name] as Record<string, unknown>;
      return [plain(name), { ...schema, ...(example !== undefined && { examples: [example] }) }];
    }),
  );
  const components = { ...description.components, schemas: kept, headers: ANSWER_HEADERS };
  const finished = { ...description, components };
  return JSON.parse(JSON.stringify(finished), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? plain(value) : value,
  ) as Description;
}

function plain(name: string): string {
  return name.replace(/Input$/, '');
}
