import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Notice } from '../../src/notify/notice.js';
import { makeHome, startService, type Home, type TestService } from '../service.js';

const POLICIES = readFileSync(join(import.meta.dirname, '../scenarios/policy.yaml'), 'utf8');
const page = readFileSync('docs/notifications.md', 'utf8');
const block = (language: string) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)![1]!;
const SECRET = 'k'.repeat(40);

function home(notify: string): Home {
  const made = makeHome(POLICIES);
  onTestFinished(() => made.remove());
  writeFileSync(made.file('keys/notify.key'), `${SECRET}\n`, { mode: 0o640 });
  writeFileSync(made.file('notify.sh'), block('sh'), { mode: 0o755 });
  appendFileSync(made.file('portcullis.yaml'), notify);
  return made;
}

async function started(made: Home): Promise<TestService> {
  const service = await startService({ home: made });
  onTestFinished(async () => {
    await service.stop();
  });
  return service;
}

const ask = (service: TestService, justification: string) =>
  service.api('alice', 'POST', '/v1/requests', { resource: 'orders-db', duration: '1h', justification });

async function until(enough: () => boolean, ms: number): Promise<void> {
  const over = performance.now() + ms;
  while (!enough()) {
    if (performance.now() > over) throw new Error(`not within ${ms} ms`);
    await sleep(5);
  }
}

const missing = ['jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
const skipped = missing.length > 0 && !(process.env['PORTCULLIS_REQUIRE'] ?? '').split(',').includes('jq');

// Needs jq.
test.skipIf(skipped)(
  'the program of the page is told of a request within a second, and who wrote it runs nothing',
  async () => {
    const made = home('notify: { exec: ./notify.sh, kinds: [asked] }\n');
    const service = await started(made);
    const told = () => (existsSync(made.file('notices.log')) ? readFileSync(made.file('notices.log'), 'utf8') : '');
    // The first start of a program on a machine reads it and its tools from the disk.
    await ask(service, 'first');
    await until(() => told() !== '', 5_000);
    const begun = performance.now();
    const { body } = await ask(service, '$(touch hacked)\n`touch hacked`');
    await until(() => told().split('\n').length === 3, 1_000);
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(told().split('\n')[1]).toMatch(
      /^\d{4}-.*Z alice asks for orders-db for 1h: \$\(touch hacked\)\\n`touch hacked` -- /,
    );
    expect(told()).toContain(` -- portcullis approve ${String(body['id'])}\n`);
    expect(existsSync(made.file('hacked'))).toBe(false);
  },
);

/** A web address that keeps what is posted to it. */
async function hook() {
  const posted: { readonly headers: IncomingMessage['headers']; readonly body: string; readonly at: number }[] = [];
  const answers = { status: 204 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      posted.push({ headers: request.headers, body, at: performance.now() });
      response.writeHead(answers.status).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { posted, answers, notify: `notify: { webhook: "${url}", secretFile: ./keys/notify.key }\n` };
}

interface Verifier {
  readonly isFromPortcullis: (
    headers: IncomingMessage['headers'],
    body: string,
    secret: string,
    now: number,
  ) => boolean;
}

test('what is posted is believed by the example of the page, and nothing that was changed or is old', async () => {
  const { posted, notify } = await hook();
  const made = home(notify);
  writeFileSync(made.file('verify.mjs'), block('js'));
  const { isFromPortcullis } = (await import(made.file('verify.mjs'))) as Verifier;
  const service = await started(made);
  const begun = performance.now();
  const { body } = await ask(service, 'a');
  await until(() => posted.length === 1, 2_000);
  expect(posted[0]!.at - begun).toBeLessThan(1_000);
  const review = { verdict: 'approve', digest: body['digest'] };
  const { body: approved } = await service.api('bob', 'POST', `/v1/requests/${String(body['id'])}/reviews`, review);
  await service.api('alice', 'POST', `/v1/grants/${String(approved['grantId'])}/return`, { reason: 'done' });
  await service.api('host', 'POST', '/v1/locks', { target: { kind: 'person', person: 'dave' }, reason: 'x' });
  await until(() => posted.length === 4, 2_000);
  const notices = posted.map((one) => JSON.parse(one.body) as Notice);
  expect(notices.map(({ kind }) => kind)).toEqual(['asked', 'decided', 'ended', 'lock']);
  expect(notices.map(({ id }) => id)).toEqual(posted.map(({ headers }) => headers['portcullis-delivery']));
  for (const one of posted) {
    expect(isFromPortcullis(one.headers, one.body, SECRET, Date.now())).toBe(true);
    expect(isFromPortcullis(one.headers, `${one.body} `, SECRET, Date.now())).toBe(false);
    expect(isFromPortcullis(one.headers, one.body, 'other', Date.now())).toBe(false);
    expect(isFromPortcullis(one.headers, one.body, SECRET, Date.now() + 301_000)).toBe(false);
    expect(isFromPortcullis({}, one.body, SECRET, Date.now())).toBe(false);
  }
  const shown = Object.keys(JSON.parse(block('json')) as object).toSorted();
  expect(Object.keys(notices[0]!).toSorted()).toEqual(shown);
  const { request } = JSON.parse(block('json')) as Notice;
  expect(Object.keys(notices[0]!.request!).toSorted()).toEqual(Object.keys(request!).toSorted());
});

test('while the web address is away nothing waits for it, and after a restart it is told what it has missed', async () => {
  const { posted, answers, notify } = await hook();
  answers.status = 503;
  const made = home(notify);
  const first = await startService({ home: made });
  const begun = performance.now();
  await ask(first, 'b');
  expect(performance.now() - begun).toBeLessThan(1_000);
  await until(() => posted.length >= 1, 2_000);
  await first.stop();
  answers.status = 200;
  posted.splice(0);
  const second = await started(made);
  await until(() => posted.length === 1, 3_000);
  expect(JSON.parse(posted[0]!.body)).toMatchObject({ kind: 'asked', request: { justification: 'b' } });
  const metrics = await fetch(`http://${second.running.addresses.metrics}/metrics`).then((answer) => answer.text());
  expect(metrics).toContain('portcullis_notices_total{target="webhook",outcome="delivered"} 1');
});

test('over TLS events come within a second, and the end of the service ends the stream', async () => {
  const made = home('');
  const service = await startService({ home: made });
  const { pem: cert, keyPem: key } = made.certificateOf('bob');
  const [host, port] = service.running.addresses.admin.split(':');
  const call = httpsRequest({
    host,
    port,
    path: '/v1/events?reviewable=true',
    ca: made.ca.pem,
    cert,
    key,
    servername: 'localhost',
    agent: false,
  });
  const [response] = (await once(call.end(), 'response')) as [IncomingMessage];
  let text = '';
  response.on('data', (part: Buffer) => (text += part.toString()));
  const begun = performance.now();
  await ask(service, 'c');
  await until(() => text.includes('event: request.created'), 1_000);
  expect(performance.now() - begun).toBeLessThan(1_000);
  const ending = performance.now();
  await Promise.all([service.stop(), once(response, 'close')]);
  expect(performance.now() - ending).toBeLessThan(1_500);
  expect(response.complete).toBe(true);
});
