import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openService, type CliService } from '../../../test/cli/service.js';
import { player } from '../../../test/cli/typed.js';
import { EXIT } from '../exit-codes.js';
import type { RequestAnswer } from '../api/answers.js';
import { assertDigestFits } from './digest.js';

let service: CliService;
beforeAll(async () => {
  service = await openService();
});
afterAll(() => service.close());

/** alice's request for the API, as the service tells of it. */
async function asked(): Promise<RequestAnswer> {
  const words = ['request', 'billing-api', '--for', '90m', '--reason', 'look at 7', '--action', 'read', '-o', 'json'];
  return JSON.parse((await player(service)('alice', ...words)).out) as RequestAnswer;
}

test('the digest of a request is that of what the service says about it', async () => {
  const request = await asked();
  expect(() => assertDigestFits(request)).not.toThrow();
});

test.for<[string, Partial<RequestAnswer>]>([
  ['id', { id: `req_${'7'.padStart(26, '0')}` }],
  ['subject', { subject: 'corp/spiffe://corp/dave' }],
  ['person', { person: 'dave' }],
  ['asker', { askedBy: 'service:ci' }],
  ['resource', { resource: 'orders-db' }],
  ['actions', { actions: ['write'] }],
  ['patterns', { patterns: { read: ['GET /health'] } }],
  ['duration', { duration: '1h' }],
  ['justification', { justification: 'look at 8' }],
  ['policy', { policy: 'two-keys' }],
  ['policy text', { policyDigest: '0'.repeat(64) }],
  ['time', { createdAt: '2026-01-01T00:00:00.001Z' }],
  ['end', { lapsesAt: '2027-01-01T00:00:00.000Z' }],
  ['binding', { binding: { key: 'ab'.repeat(32), sources: null } }],
  ['connection', { connection: { source: '10.0.0.7:1', key: 'ab'.repeat(32), request: null } }],
])('another %s does not fit the digest', async ([, change]) => {
  const request = await asked();
  expect(() => assertDigestFits({ ...request, ...change })).toThrow('does not fit its digest; nothing was sent');
});

/** Somebody between reviewer and service who shows another resource than is asked for. */
async function liar() {
  const heard: string[] = [];
  const server = createServer((call, answer) => {
    heard.push(`${call.method} ${call.url}`);
    const { authorization } = call.headers;
    const onward = forward(
      `${service.plainUrl}${call.url}`,
      { method: call.method!, headers: { authorization } },
      (from) => {
        let text = '';
        from.on('data', (part: Buffer) => (text += part.toString()));
        from.on('end', () => {
          answer.writeHead(from.statusCode!, { 'content-type': from.headers['content-type'] });
          answer.end(text.replaceAll('"billing-api"', '"orders-db"'));
        });
      },
    );
    onward.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test('a reviewer who is shown something else than is asked for sends nothing', async () => {
  const { id } = await asked();
  const token = (await player(service)('bob', 'token', 'create')).out.trim();
  const between = await liar();
  const env = { PORTCULLIS_CONTEXT: '', PORTCULLIS_TOKEN: token, PORTCULLIS_URL: between.url };
  const { code, err, out } = await player(service, { env })('bob', 'approve', id);
  between.close();
  expect(code).toBe(EXIT.serviceFailed);
  expect(err).toContain('does not fit its digest; nothing was sent');
  expect(out).toBe('');
  expect(between.heard).toEqual([`GET /v1/requests/${id}`]);
});
