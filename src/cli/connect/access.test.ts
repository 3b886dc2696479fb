import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openService, type CliService, type Player } from '../../../test/cli/service.js';
import { Collected, player, shellFor } from '../../../test/cli/typed.js';
import { hours, seconds, type Duration } from '../../domain/time.js';
import type { ExplanationAnswer } from '../api/answers.js';
import { createClient } from '../api/client.js';
import { openConnection } from '../connection/connection.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { noAccess, obtainAccess, standingOf, type Wish } from './access.js';
import { wayTo } from './place.js';
import type { Via } from './way.js';

let service: CliService;
let as: ReturnType<typeof player>;
beforeAll(async () => {
  service = await openService();
  as = player(service);
});
// What earlier tests left has lapsed and expired.
beforeEach(() => service.clock.advance(hours(12)));
afterAll(() => service.close());

const NO_WISH: Wish = {};

/** Somebody who connects; `act` happens once, after two seconds of waiting. */
async function connecting(
  who: Player,
  { wish = NO_WISH, act = async (): Promise<unknown> => undefined, resource = 'orders-db' } = {},
) {
  const stderr = new Collected(undefined);
  const start = service.clock.read().mono;
  let acted = false;
  const time = {
    wall: () => service.clock.read().wall,
    mono: () => service.clock.read().mono,
    sleep: async (ms: number) => {
      service.clock.advance(ms as Duration);
      if (acted || service.clock.read().mono - start < seconds(2)) return;
      acted = true;
      await act();
    },
  };
  const shell = shellFor({ stdout: new Collected(undefined), stderr, time, cwd: service.folder });
  const client = createClient(await openConnection({ context: `./${who}.yaml` }, shell), shell);
  const standing = standingOf(client, resource, readFileSync(service.file(`${who}.crt`), 'utf8'));
  try {
    const explained = await obtainAccess(client, shell, standing, wish);
    return { explained, err: stderr.text, code: EXIT.done as number, message: '' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { explained: null, err: stderr.text, code: error.exitCode, message: error.lines.join('\n') };
  } finally {
    client.close();
  }
}

const requestsOf = async (who: Player) =>
  JSON.parse((await as(who, 'requests', '--mine', '--state', 'pending', '-o', 'json')).out) as { id: string }[];

describe('obtaining access', () => {
  test('with a grant nothing is asked and nothing is said', async () => {
    await as('alice', 'request', 'orders-db', '--for', '2h');
    await as('bob', 'approve');
    const { explained, err } = await connecting('alice');
    const endsAt = new Date(service.clock.read().wall + hours(2)).toISOString();
    expect([explained, err]).toEqual([expect.objectContaining({ effect: 'allow', endsAt }), '']);
    expect(await requestsOf('alice')).toEqual([]);
  });

  test('without one it is asked for as it was wished, and used as soon as it is there', async () => {
    const wish = { for: '30m', reason: 'invoice 4711', policy: 'prod-data' };
    const { explained, err } = await connecting('alice', { wish, act: () => as('bob', 'approve') });
    expect(explained).toMatchObject({ effect: 'allow' });
    expect(err).toMatch(
      /^no access to orders-db yet \(\w+\): asking for it\nreq_\S+ waits for bob or frank; lapses in 1h\n$/,
    );
    const { out } = await as('alice', 'requests', '--mine', '--limit', '1', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject([{ duration: '30m', justification: 'invoice 4711', policy: 'prod-data' }]);
  });

  test('where a request waits already, that is waited for, whatever it is for', async () => {
    await as('alice', 'request', 'orders-db', '--for', '2h', '--reason', 'first');
    const before = await requestsOf('alice');
    const { explained, err } = await connecting('alice', {
      wish: { for: '30m', reason: 'second' },
      act: async () => {
        expect(await requestsOf('alice')).toEqual(before);
        await as('bob', 'approve');
      },
    });
    expect(explained).toMatchObject({ effect: 'allow' });
    expect(err).toMatch(/^a request for orders-db waits already: req_\S+\nreq_\S+ waits for bob or frank/);
  });

  test('a revoke is answered by asking again', async () => {
    await as('alice', 'request', 'orders-db');
    await as('bob', 'approve');
    const [{ id }] = JSON.parse((await as('alice', 'grants', '--state', 'active', '-o', 'json')).out) as [
      { id: string },
    ];
    expect((await as('bob', 'revoke', id, '--reason', 'x')).err).toBe('');
    const { err, code } = await connecting('alice', { act: () => as('bob', 'approve') });
    expect([code, err]).toEqual([EXIT.done, expect.stringContaining('no access to orders-db yet (revoked): asking')]);
  });

  test.for<[string, number, Wish, () => Promise<unknown>, RegExp]>([
    ['it is denied', EXIT.notGranted, {}, () => as('bob', 'deny', '--reason', 'no'), /was denied by bob: "no"/],
    ['it lapses', EXIT.notGranted, {}, async () => service.clock.advance(hours(2)), /has lapsed/],
    ['time is over', EXIT.timedOut, { timeout: '1m' }, async () => undefined, /^error: nobody has decided/],
    [
      'a lock comes',
      EXIT.notPermitted,
      {},
      lockAndApprove,
      /^error: no access to orders-db: locked: a lock is in force; ask carol$/,
    ],
  ])('when %s the exit code is %d', async ([, code, wish, act, message]) => {
    const result = await connecting('alice', { wish, act });
    await unlockAll();
    expect(result).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test('what no request cures is not asked for', async () => {
    await as('carol', 'lock', '--resource', 'orders-db', '--reason', 'x', '--message', 'ask carol');
    const { code, message, err } = await connecting('alice');
    await unlockAll();
    expect([code, err]).toEqual([EXIT.notPermitted, '']);
    expect(message).toBe('error: no access to orders-db: locked: a lock is in force; ask carol');
    expect(await requestsOf('alice')).toEqual([]);
  });

  test('whoever no policy admits hears it, and nothing is asked for', async () => {
    expect(await connecting('stranger')).toMatchObject({
      code: EXIT.notPermitted,
      message: expect.stringMatching(
        /^error: no access to orders-db: no_grant: there is no grant for this access; no policy lets you ask for it; /,
      ) as string,
    });
  });

  async function lockAndApprove(): Promise<void> {
    await as('carol', 'lock', '--person', 'alice', '--reason', 'x', '--message', 'ask carol');
    await as('bob', 'approve');
  }

  async function unlockAll(): Promise<void> {
    const { out } = await as('carol', 'locks', '--state', 'in_force', '-o', 'json');
    for (const { id } of JSON.parse(out) as { id: string }[]) await as('carol', 'unlock', id);
  }
});

describe('the port of a resource', () => {
  const way = async (resource: string, said: Partial<Via> = {}) => {
    const shell = shellFor({ stdout: new Collected(undefined), stderr: new Collected(undefined), cwd: service.folder });
    const client = createClient(await openConnection({ context: './alice.yaml' }, shell), shell);
    const via = { host: null, port: null, name: null, cert: 'C', key: 'K', ...said };
    return wayTo(via, client, resource).finally(() => client.close());
  };
  const FROM_SERVICE = { host: 'gate.corp.example', port: 15_432, name: 'orders-db.internal' };

  test('is what the service says', async () => expect(await way('orders-db')).toMatchObject(FROM_SERVICE));

  test.for<[string, Partial<Via>, object]>([
    ['the host', { host: 'x' }, { ...FROM_SERVICE, host: 'x' }],
    ['the port', { host: 'x', port: 7 }, { host: 'x', port: 7, name: 'x' }],
    ['the name', { name: 'y' }, { ...FROM_SERVICE, name: 'y' }],
  ])('is other where the caller says %s', async ([, said, want]) => {
    expect(await way('orders-db', said)).toMatchObject(want);
  });

  test('asks nobody where host and port are given', async () => {
    expect(await way('nothing', { host: 'x', port: 7 })).toMatchObject({ host: 'x', port: 7 });
  });

  test.for([
    ['billing-api', EXIT.usage, 'billing-api has no port of its own; it is reached over HTTP as billing.internal'],
    ['nothing', EXIT.notFound, 'there is no resource "nothing" that you may ask for'],
  ] as const)('%s has none', async ([name, exitCode, message]) => {
    await expect(way(name)).rejects.toMatchObject({ exitCode, message: expect.stringContaining(message) as string });
  });

  test('is not known where neither the caller nor the service says the host', async () => {
    const nobody = {
      get: async () => ({ items: [{ name: 'x', host: null, port: 7, serverName: null, authorities: [] }], next: null }),
    };
    const via = { host: null, port: null, name: null, cert: 'C', key: 'K' };
    await expect(wayTo(via, nobody as never, 'x')).rejects.toThrow('where Envoy is is not known');
  });
});

test('where a refusal has left a draft, the hint names the command that submits it', () => {
  const cure = 'portcullis request --draft dft_1';
  const denied = { reason: 'no_grant', text: null, message: null, grants: [], locks: [], cure, draft: 'dft_1' };
  const linesOf = (over: object) =>
    noAccess({ resource: 'orders-db' }, { ...denied, ...over } as unknown as ExplanationAnswer, 0).lines;
  expect(linesOf({}).at(-1)).toBe('hint: the same command asks again, and so does portcullis request --draft dft_1');
  expect(linesOf({ draft: null }).at(-1)).toBe('hint: the same command asks again');
});
