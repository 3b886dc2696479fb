import { createServer } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { issueClient } from '../../src/demo/certificates.js';
import { metadataOf } from '../check-requests.js';
import { clientOf, testCa, validity } from '../pki.js';
import { makeHome, startService, type Home, type TestService } from '../service.js';

const HOUR = 3_600_000;
const LOADED = { outcome: 'loaded', problems: [] };
const POLICIES = readFileSync(join(import.meta.dirname, '../scenarios/policy.yaml'), 'utf8');

/** A home that is gone after the test. */
function home(): Home {
  const made = makeHome(POLICIES);
  onTestFinished(() => made.remove());
  return made;
}

async function started(over: Parameters<typeof startService>[0] = { policies: POLICIES }): Promise<TestService> {
  const service = await startService(over);
  onTestFinished(async () => {
    await service.stop();
  });
  return service;
}

/** alice asks, bob approves; gives the grant's id. */
async function grant(service: TestService, duration = '1h'): Promise<string> {
  const asked = await service.api('alice', 'POST', '/v1/requests', { resource: 'orders-db', duration });
  const { id, digest } = asked.body;
  const reviewed = await service.api('bob', 'POST', `/v1/requests/${id}/reviews`, { verdict: 'approve', digest });
  return reviewed.body['grantId'] as string;
}

const answerTo = async (service: TestService, who = 'alice') => {
  const answer = await service.check(who, 'orders-db');
  return answer.status?.code === 0 ? 'allow' : metadataOf(answer)['reason'];
};

describe('addresses', () => {
  test('an authz socket that somebody answers on is refused, and left alone', async () => {
    const made = home();
    mkdirSync(made.file('run'));
    const other = createServer().listen(made.file('run/authz.sock'));
    onTestFinished(() => void other.close());
    await expect(startService({ home: made })).rejects.toThrow(
      /listen.authz: .*authz.sock is in use by another process/,
    );
    expect(other.listening).toBe(true);
  });

  test('a socket that a killed process left behind is taken over', async () => {
    const made = home();
    const first = await startService({ home: made });
    await first.stop();
    mkdirSync(made.file('run'), { recursive: true });
    // What SIGKILL leaves: a socket file that nobody listens on.
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(made.file('run/authz.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    const second = await startService({ home: made });
    expect(await answerTo(second)).toBe('no_grant');
    await second.stop();
  });

  test('an ordinary file where a socket should be is not removed', async () => {
    const made = home();
    mkdirSync(made.file('run'));
    writeFileSync(made.file('run/admin.sock'), 'precious');
    await expect(startService({ home: made })).rejects.toThrow(/is no socket/);
    expect(readFileSync(made.file('run/admin.sock'), 'utf8')).toBe('precious');
  });

  test('a taken port is refused with what to do, and nothing is left running', async () => {
    const made = home();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const config = readFileSync(made.file('portcullis.yaml'), 'utf8');
    writeFileSync(made.file('portcullis.yaml'), config.replace('metrics: 127.0.0.1:0', `metrics: 127.0.0.1:${port}`));
    await expect(startService({ home: made })).rejects.toThrow(
      /listen.metrics: cannot listen on .*in use; stop what listens there/,
    );
    // The folder, the sockets and the ports are free again.
    writeFileSync(made.file('portcullis.yaml'), config);
    await (await startService({ home: made })).stop();
  });
});

describe('the data folder', () => {
  test('a second service on the same folder is refused while the first one answers', async () => {
    const made = home();
    const first = await started({ home: made });
    const config = readFileSync(made.file('portcullis.yaml'), 'utf8');
    writeFileSync(
      made.file('portcullis.yaml'),
      config.replace('run/authz.sock', 'run2/authz.sock').replace('run/admin.sock', 'run2/admin.sock'),
    );
    await expect(startService({ home: made })).rejects.toThrow(/^data: /);
    expect(await answerTo(first)).toBe('no_grant');
  });

  test('without its MAC key nothing starts', async () => {
    const made = home();
    const config = readFileSync(made.file('portcullis.yaml'), 'utf8');
    writeFileSync(made.file('portcullis.yaml'), config.replace('macKey: ./keys/store.key, ', ''));
    await expect(startService({ home: made })).rejects.toThrow(/^storage\.macKey: expected the file/);
  });
});

test('everything survives a restart: grants, locks, requests, decisions', async () => {
  const made = home();
  const first = await startService({ home: made });
  const id = await grant(first);
  await first.api('host', 'POST', '/v1/locks', { target: { kind: 'person', person: 'dave' }, reason: 'x' });
  expect(await answerTo(first)).toBe('allow');
  expect(await first.stop()).toBe(0);
  const second = await startService({ home: made });
  expect(await answerTo(second)).toBe('allow');
  expect(await answerTo(second, 'dave')).toBe('locked');
  expect((await second.api('alice', 'GET', `/v1/grants/${id}`)).body['state']).toBe('active');
  expect((await second.api('host', 'GET', '/v1/decisions?limit=50')).body['items']).not.toEqual([]);
  await second.stop();
});

describe('the clock', () => {
  test('a step forward denies, a step back denies, and neither lengthens a grant', async () => {
    let offset = 0;
    const service = await started({ policies: POLICIES, wall: () => Date.now() + offset });
    await grant(service, '2s');
    const start = performance.now();
    for (const step of [HOUR, -HOUR, HOUR / 20, -30 * HOUR]) {
      offset = step;
      expect(await answerTo(service)).toBe('clock_suspect');
    }
    offset = 0;
    expect(await answerTo(service)).toBe('allow');
    offset = -HOUR;
    await new Promise((resolve) => setTimeout(resolve, 2_050 - (performance.now() - start)));
    expect(await answerTo(service)).toBe('clock_suspect');
    offset = 0;
    expect(await answerTo(service)).toBe('expired');
  });

  test('a clock that went back while the service was down denies until it has caught up', async () => {
    const made = home();
    const first = await startService({ home: made });
    await grant(first);
    await first.stop();
    const back = await startService({ home: made, wall: () => Date.now() - HOUR });
    expect(await answerTo(back)).toBe('clock_suspect');
    // Ending access works all the same.
    const { body } = await back.api('host', 'POST', '/v1/locks', {
      target: { kind: 'person', person: 'alice' },
      reason: 'x',
    });
    expect(body['state']).toBe('in_force');
    await back.stop();
    const right = await startService({ home: made });
    expect(await answerTo(right)).toBe('locked');
    await right.stop();
  });
});

describe('a start with a clock far ahead', () => {
  const FIFTY_YEARS = 18_250 * 24 * HOUR;

  test('denies everything, says what to do, drops nothing, and leaves the service usable with the right clock', async () => {
    const made = home();
    const first = await startService({ home: made });
    const id = await grant(first);
    expect(await answerTo(first)).toBe('allow');
    await first.stop();
    const ahead = await startService({ home: made, wall: () => Date.now() + FIFTY_YEARS });
    expect(await answerTo(ahead)).toBe('clock_suspect');
    expect(ahead.logged()).toMatch(/more than 30 days after the latest time in the store.*--clock-confirmed 20\d\d-/);
    const { body } = await ahead.api('host', 'POST', '/v1/locks', {
      target: { kind: 'person', person: 'dave' },
      reason: 'x',
      duration: '1h',
    });
    expect(body['code']).toBe('clock_suspect');
    await ahead.stop();
    const right = await startService({ home: made });
    expect(await answerTo(right)).toBe('allow');
    const { items } = (await right.api('host', 'GET', '/v1/decisions?limit=50')).body as { items: object[] };
    expect(items).toContainEqual(expect.objectContaining({ effect: 'allow', grantId: id }));
    await right.stop();
  });

  test('after a pause that somebody confirms it serves, and nothing is dropped at once', async () => {
    const made = home();
    const first = await startService({ home: made, wall: () => Date.now() - 40 * 24 * HOUR });
    expect(await answerTo(first)).toBe('certificate_not_valid_now');
    await first.stop();
    const config = readFileSync(made.file('portcullis.yaml'), 'utf8');
    const today = new Date().toISOString().slice(0, 10);
    writeFileSync(made.file('portcullis.yaml'), `${config}clock: { confirmed: ${today} }\n`);
    const second = await startService({ home: made });
    expect(await answerTo(second)).toBe('no_grant');
    const { items } = (await second.api('host', 'GET', '/v1/decisions?limit=50')).body as { items: object[] };
    expect(items).toContainEqual(expect.objectContaining({ reason: 'certificate_not_valid_now' }));
    await second.stop();
  });
});

describe('certificates', () => {
  const asked = async (service: TestService, pem: string, over: object = {}) => {
    const answer = await service.ask({ source: { certificate: encodeURIComponent(pem), ...over } }, 'orders-db');
    return answer.status?.code === 0 ? 'allow' : metadataOf(answer)['reason'];
  };

  test('each certificate that is not the right one is denied for its own reason', async () => {
    const service = await started();
    await grant(service);
    const { ca } = service;
    const other = testCa('corp');
    const past = { validUntil: (validity.validFrom + 1_000) as typeof validity.validUntil };
    const twoNames = issueClient(ca, [{ uri: 'spiffe://corp/alice' }, { uri: 'spiffe://corp/bob' }], {
      subject: [],
      ...validity,
    });
    expect(await asked(service, service.certificateOf('alice').pem)).toBe('allow');
    expect(await asked(service, clientOf(other, 'spiffe://corp/alice').pem)).toBe('untrusted_issuer');
    expect(await asked(service, clientOf(ca, 'spiffe://corp/alice', past).pem)).toBe('certificate_not_valid_now');
    expect(await asked(service, twoNames.pem)).toBe('ambiguous_subject');
    expect(await asked(service, 'no certificate')).toBe('malformed');
    expect(await asked(service, '')).toBe('no_certificate');
  });

  test('a principal without a certificate names the missing setting, in the answer and in the log of decisions', async () => {
    const service = await started();
    const answer = await service.ask({ source: { principal: 'spiffe://corp/alice' } }, 'orders-db');
    expect(answer.deniedResponse?.body).toContain('include_peer_certificate: true');
    await expect
      .poll(async () => (await service.api('host', 'GET', '/v1/decisions?limit=1')).body['items'])
      .toMatchObject([
        { reason: 'no_certificate', message: expect.stringContaining('include_peer_certificate: true') },
      ]);
  });
});

test('a policy folder that is edited badly changes nothing; a good edit ends what it no longer admits', async () => {
  const service = await started();
  const id = await grant(service);
  writeFileSync(service.file('policy/policy.yaml'), 'people: [nonsense');
  expect(await service.running.reloadPolicies()).toEqual({
    outcome: 'refused',
    problems: [expect.stringMatching(/policy.yaml:1:\d+/)],
  });
  expect(await answerTo(service)).toBe('allow');
  writeFileSync(service.file('policy/policy.yaml'), POLICIES.replace('dev: [alice, dave]', 'dev: [dave]'));
  expect(await service.running.reloadPolicies()).toEqual(LOADED);
  expect(await answerTo(service)).toBe('policy_changed');
  writeFileSync(service.file('policy/policy.yaml'), POLICIES);
  expect(await service.running.reloadPolicies()).toEqual(LOADED);
  expect(await answerTo(service)).toBe('policy_changed');
  expect((await service.api('host', 'GET', `/v1/grants/${id}`)).body).toMatchObject({
    state: 'ended',
    reason: 'policy_changed',
  });
});

test('what the policy folder no longer admits at a start is ended, and stays ended', async () => {
  const made = home();
  const first = await startService({ home: made });
  const id = await grant(first);
  await first.stop();
  writeFileSync(made.file('policy/policy.yaml'), POLICIES.replace('dev: [alice, dave]', 'dev: [dave]'));
  const second = await started({ home: made });
  const ended = { state: 'ended', reason: 'policy_changed', end: { by: 'system' } };
  await expect.poll(async () => (await second.api('host', 'GET', `/v1/grants/${id}`)).body).toMatchObject(ended);
  writeFileSync(made.file('policy/policy.yaml'), POLICIES);
  expect(await second.running.reloadPolicies()).toEqual(LOADED);
  expect(await answerTo(second)).toBe('policy_changed');
});

test('edits in quick succession: what one of them refused stays ended, and the last one is in force', async () => {
  const service = await started();
  const id = await grant(service);
  const edit = (text: string) => writeFileSync(service.file('policy/policy.yaml'), text);
  edit(POLICIES.replace('dev: [alice, dave]', 'dev: [dave]'));
  const first = service.running.reloadPolicies();
  // Read, but not yet written down.
  await expect.poll(() => answerTo(service), { interval: 1 }).toBe('policy_changed');
  edit(POLICIES);
  expect(await Promise.all([first, service.running.reloadPolicies()])).toEqual([LOADED, LOADED]);
  expect(await answerTo(service)).toBe('policy_changed');
  expect((await service.api('alice', 'POST', '/v1/requests', { resource: 'orders-db', duration: '1h' })).status).toBe(
    201,
  );
  expect((await service.api('host', 'GET', `/v1/grants/${id}`)).body['reason']).toBe('policy_changed');
});

test('while it ends, no check is allowed: each gets an explicit deny, or no connection at all', async () => {
  const service = await startService({ policies: POLICIES });
  await grant(service);
  expect(await answerTo(service)).toBe('allow');
  const ending = service.stop();
  const answers = await Promise.all(Array.from({ length: 20 }, () => answerTo(service).catch(() => 'no answer')));
  expect(new Set(answers)).not.toContain('allow');
  expect(await ending).toBe(0);
});
