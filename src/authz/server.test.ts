import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  credentials,
  Metadata,
  ServerCredentials,
  status,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { alice, at, corp, ordersDb, T0 } from '../../test/builders.js';
import { decodeAnswer, encodeCheckRequest, metadataOf, type AnswerObject } from '../../test/check-requests.js';
import { world } from '../../test/world.js';
import { createRecorder } from '../access/recorder.js';
import { deny } from '../domain/decision.js';
import { hours } from '../domain/time.js';
import type { Identifier } from '../identity/identify.js';
import { createCore } from './core.js';
import { definitionOf, serveAuthz } from './server.js';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const folder = mkdtempSync(join(tmpdir(), 'portcullis-authz-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const identifier: Identifier = {
  identify: () => ({
    subject: alice,
    trust: corp,
    validFrom: T0,
    validUntil: at(hours(9)),
    certificate: 'c',
    key: 'k',
  }),
  identifyDer: () => deny('malformed'),
};

async function scene() {
  const w = world();
  const alarms: unknown[] = [];
  const alarm = (cause: unknown) => void alarms.push(cause);
  const recorder = createRecorder({ ...w.needed, mode: 'grouped', onFailure: alarm, onUnrecorded: () => undefined });
  const core = createCore({ ...w.needed, recorder, closed: () => null, alarm, identifier, gate: null });
  const socket = join(mkdtempSync(`${folder}-`), 's');
  const server = await serveAuthz({ target: `unix:${socket}`, credentials: ServerCredentials.createInsecure() }, core, {
    alarm,
  });
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  onTestFinished(async () => {
    client.close();
    await server.close(0);
  });
  const raw = (bytes: Buffer, named = ordersDb as string): Promise<AnswerObject | ServiceError> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      metadata.set('x-portcullis-resource', named);
      client.makeUnaryRequest(
        CHECK,
        (same: Buffer) => same,
        decodeAnswer,
        bytes,
        metadata,
        (error, answer) => resolve(error ?? answer!),
      );
    });
  const ask = async () =>
    (await raw(encodeCheckRequest({ attributes: { source: { certificate: 'x' } } }))) as AnswerObject;
  return { ...w, server, client, raw, ask, alarms, recorder };
}

test('over the wire: denied, approved, allowed with its grant, expired', async () => {
  const { ask, grant, clock } = await scene();
  expect((await ask()).deniedResponse?.body).toContain('access denied (no_grant)');
  const { id, expiresAt } = await grant();
  const allowed = await ask();
  expect(allowed.status?.code).toBe(0);
  expect(metadataOf(allowed)).toMatchObject({
    grant_id: id,
    ends_at: expiresAt,
    remaining_ms: hours(1),
    resource: ordersDb,
  });
  clock.advance(hours(1));
  expect(metadataOf(await ask())).toMatchObject({ reason: 'expired' });
});

test('the decision in the answer is the one in the log', async () => {
  const { ask, recorder, store } = await scene();
  const { decision_id: id } = metadataOf(await ask());
  await recorder.flush();
  expect(store.decisions({ limit: 5 }).items).toMatchObject([
    { id, effect: 'deny', reason: 'no_grant', subject: alice },
  ]);
});

test.for([
  ['an empty request', Buffer.alloc(0), 'no_certificate'],
  ['attributes that are a number', Buffer.of(0x08, 0x01), 'malformed'],
  ['bytes that are no message', Buffer.from('no protobuf at all'), 'malformed'],
  ['a cut message', encodeCheckRequest({ attributes: { source: { certificate: 'x' } } }).subarray(0, 4), 'malformed'],
] as [string, Buffer, string][])('%s is an explicit deny', async ([, bytes, reason]) => {
  const { raw } = await scene();
  const answer = (await raw(bytes)) as AnswerObject;
  expect(answer.status?.code).toBeGreaterThan(0);
  expect(answer.deniedResponse?.body).toContain(reason);
});

test('a message above 256 KiB is an explicit deny, and the next call works', async () => {
  const { raw, ask } = await scene();
  const huge = (await raw(
    encodeCheckRequest({ attributes: { source: { certificate: 'x'.repeat(256 * 1024) } } }),
  )) as AnswerObject;
  expect(huge.status).toMatchObject({ message: 'malformed' });
  expect((await ask()).status?.code).toBeGreaterThan(0);
});

test('many calls at once each get the answer they would get alone', async () => {
  const { raw, grant } = await scene();
  await grant();
  const calls = Array.from({ length: 64 }, (_, i) =>
    raw(encodeCheckRequest({ attributes: { source: { certificate: 'x' } } }), i % 2 ? ordersDb : 'billing-api'),
  );
  const codes = (await Promise.all(calls)).map((answer) => (answer as AnswerObject).status?.code === 0);
  expect(codes).toEqual(Array.from({ length: 64 }, (_, i) => i % 2 === 1));
});

test('grpc.health.v1 says what the service says of itself, at once and to watchers', async () => {
  const { server, client } = await scene();
  const { Check, Watch } = definitionOf('grpc.health.v1.Health') as unknown as Record<
    'Check' | 'Watch',
    MethodDefinition<object, { status: string }>
  >;
  const ask = (service: string) =>
    new Promise((resolve) => {
      client.makeUnaryRequest(
        Check.path,
        Check.requestSerialize,
        Check.responseDeserialize,
        { service },
        (error, answer) => resolve(error?.code ?? answer!.status),
      );
    });
  expect(await ask('')).toBe('NOT_SERVING');
  const stream = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service: '',
  });
  const seen: string[] = [];
  stream.on('data', (answer: { status: string }) => seen.push(answer.status)).on('error', () => {});
  await expect.poll(() => seen).toEqual(['NOT_SERVING']);
  server.health.set(true);
  expect(await ask('envoy.service.auth.v3.Authorization')).toBe('SERVING');
  expect(await ask('other')).toBe(status.NOT_FOUND);
  server.health.set(false);
  await expect.poll(() => seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  stream.cancel();
});

test('a taken socket is an error, and closing twice is none', async () => {
  const { server } = await scene();
  const core = () => {
    throw new Error('not asked');
  };
  const target = `unix:${join(folder, 'missing', 's')}`;
  await expect(
    serveAuthz({ target, credentials: ServerCredentials.createInsecure() }, core, { alarm: () => {} }),
  ).rejects.toThrow();
  await server.close(0);
});
