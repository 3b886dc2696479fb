import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openService, type CliService } from '../../test/cli/service.js';
import { player, typed, type Typed } from '../../test/cli/typed.js';
import { hours, minutes, seconds, type Duration } from '../domain/time.js';
import { EXIT } from './exit-codes.js';

let service: CliService;
let as: ReturnType<typeof player>;

beforeAll(async () => {
  service = await openService();
  as = player(service);
});
// What earlier tests left has lapsed and expired.
beforeEach(() => service.clock.advance(hours(12)));
afterAll(() => service.close());

/** The JSON that a command printed, which must have gone well. */
async function json<T = Record<string, unknown>>(work: Promise<Typed>): Promise<T> {
  const { code, out, err } = await work;
  expect(err.split('\n').filter((line) => line.startsWith('error'))).toEqual([]);
  expect(code).toBe(EXIT.done);
  return JSON.parse(out) as T;
}

interface Named {
  readonly id: string;
  readonly state: string;
  readonly grantId: string | null;
}

const ask = (who: string, ...more: string[]) => json<Named>(as(who, 'request', 'orders-db', ...more, '-o', 'json'));

describe('request, approve, grants, revoke', () => {
  test('a person asks, another approves, and the grant is there until it is revoked', async () => {
    const asked = await as('alice', 'request', 'orders-db', '--for', '2h', '--reason', 'invoice 4711');
    expect(asked.code).toBe(EXIT.done);
    const [, id] = /^request {2,}(req_\S+)$/m.exec(asked.out)!;
    expect(asked.err).toBe(`${id} waits for a review by bob or frank\n`);

    const approved = await as('bob', 'approve', id!);
    expect(approved.code).toBe(EXIT.done);
    expect(approved.out).toMatch(/^state {2,}approved$/m);
    const [, grant] = /^grant {2,}(gr_\S+)$/m.exec(approved.out)!;

    const listed = await as('alice', 'grants', '--mine', '--state', 'active');
    expect(listed.out).toMatch(/^GRANT +STATE +ENDS +RESOURCE +SUBJECT +APPROVED BY\n/);
    expect(listed.out).toContain(`${grant}  active  in 2h  orders-db  corp/spiffe://corp/alice  bob`);

    const revoked = await as('bob', 'revoke', grant!, '--reason', 'not needed after all');
    expect(revoked.code).toBe(EXIT.done);
    expect(revoked.out).toMatch(/^state {2,}revoked$/m);
    expect(revoked.out).toMatch(/^ended {2,}now by bob: "not needed after all"$/m);
    expect(revoked.out).not.toMatch(/^expires? /m);
    const why = await as('alice', 'explain', '--resource', 'orders-db');
    expect(why.out).toMatch(/^grant {2,}gr_\S+ {2}revoked {2}access {2}ended now$/m);
    expect((await as('alice', 'grants', '--state', 'active')).err).toBe('no grants\n');
  });

  test('a lock on it is told to whoever asks and whoever reviews', async () => {
    const lock = await json<{ id: string }>(
      as('carol', 'lock', '--person', 'dave', '--reason', 'secret', '--message', 'call the desk', '-o', 'json'),
    );
    const locked = new RegExp(`^ *locked {2,}${lock.id} {2}person dave {2}"call the desk"$`, 'm');
    const { id, ...asked } = await ask('dave', '--reason', 'x');
    expect(asked).toBeDefined();
    expect((await as('dave', 'requests', id)).out).toMatch(locked);
    const approved = await as('bob', 'approve', id);
    expect(approved.err.slice(0, approved.err.indexOf('approved:'))).toMatch(locked);
    expect(approved.err).toContain(`warning: ${lock.id} denies it all the same until the lock is gone\n`);
    expect(approved.out).toMatch(locked);
    await as('carol', 'unlock', lock.id);
    expect((await as('dave', 'requests', id)).out).not.toMatch(/^locked/m);
  });

  test('whoever has nothing to review is told of a request of their own that waits', async () => {
    const { id } = await ask('erin', '--reason', 'x');
    const { code, err } = await as('erin', 'approve');
    expect(code).toBe(EXIT.notFound);
    expect(err).toBe(`error: no request waits for you\nhint: one of your own, ${id}, waits for bob or frank\n`);
    await as('erin', 'withdraw', id);
  });

  test('a terminal that knows no width of its own is one of 80 columns', async () => {
    const { id } = await ask('alice', '--reason', 'seen in a terminal');
    const unknown = await player(service, { terminal: 0 })('alice', 'requests');
    expect(unknown.out).toContain(id);
    expect(unknown.out).toBe((await player(service, { terminal: 80 })('alice', 'requests')).out);
    expect((await typed(['requests', '--help'], { terminal: 0 })).out).toContain('List requests, newest first');
    await as('alice', 'withdraw', id);
  });

  test('a hint names what is missing', async () => {
    const hintOf = async (...words: string[]) => {
      const { code, err } = await as('dave', ...words);
      expect(code).toBe(EXIT.usage);
      return err.trimEnd().split('\n').at(-1);
    };
    expect(await hintOf('request', 'vault')).toBe('hint: add --reason "..."');
    expect(await hintOf('revoke', `gr_${'0'.repeat(26)}`)).toBe(
      'hint: add --reason "...": why, for its holder and for the log',
    );
    expect(await hintOf('cut')).toBe('hint: portcullis cut <id>: the session, as sessions lists it');
    expect(await hintOf('token', 'revoke')).toBe('hint: portcullis token revoke <id>: the token');
    expect(await hintOf('requests', '--nonsense')).toBe('hint: portcullis requests --help lists what there is');
  });

  test('what is about to be approved is shown on standard error, and its digest is sent', async () => {
    const { id } = await ask('alice', '--reason', 'look at "invoice"', '--for', '30m');
    const { err, code } = await as('bob', 'approve', id, '--reason', 'checked');
    expect(code).toBe(EXIT.done);
    const { digest } = await json<{ digest: string }>(as('bob', 'requests', id, '-o', 'json'));
    expect(err.split('\n').slice(0, 9)).toEqual([
      `you approve ${id}:`,
      '  subject   corp/spiffe://corp/alice',
      '  person    alice',
      '  resource  orders-db',
      '  action    access',
      '  duration  30m',
      '  reason    "look at \\"invoice\\""',
      '  policy    prod-data',
      `  digest    ${digest.slice(0, 12)}`,
    ]);
    expect(err.split('\n')[9]).toMatch(/^approved: access to orders-db ends in 30m \(/);
  });

  test('a reviewer sees what an action lets through', async () => {
    const { id } = await json<Named>(as('alice', 'request', 'billing-api', '--action', 'read', '-o', 'json'));
    expect((await as('bob', 'deny', id)).err).toContain('  action    read: GET /**\n');
  });

  test('actions, policy and subject are asked for by name', async () => {
    const words = ['request', 'billing-api', '--action', 'read', '--action', 'write', '--policy', 'prod-data'];
    const made = await json(as('alice', ...words, '--subject', 'spiffe://corp/alice', '-o', 'json'));
    expect(made).toMatchObject({
      actions: ['read', 'write'],
      policy: 'prod-data',
      subject: 'corp/spiffe://corp/alice',
    });
  });

  test('asked for the same again, the request that still waits is taken up', async () => {
    expect((await ask('alice')).id).toBe((await ask('alice')).id);
  });

  test('the holder returns a grant', async () => {
    const { id } = await ask('alice');
    const { grantId } = await json<Named>(as('bob', 'approve', id, '-o', 'json'));
    const returned = await json(as('alice', 'return', grantId!, '--reason', 'done', '-o', 'json'));
    expect(returned).toMatchObject({ state: 'ended', reason: 'returned', end: { by: 'alice', why: 'done' } });
  });

  test('a request is denied with a reason, or withdrawn', async () => {
    const denied = await ask('alice');
    const after = await as('bob', 'deny', denied.id, '--reason', 'use the replica');
    expect(after.out).toMatch(/^denied {2,}bob: "use the replica"$/m);
    const { id } = await ask('alice');
    expect((await json<Named>(as('alice', 'withdraw', id, '-o', 'json'))).state).toBe('withdrawn');
  });
});

describe('approve without an id', () => {
  test('takes the one request that waits', async () => {
    const { id } = await ask('alice');
    expect((await json<Named>(as('bob', 'approve', '-o', 'json'))).id).toBe(id);
  });

  test('says so where none waits', async () => {
    const { code, err } = await as('bob', 'approve');
    expect(code).toBe(EXIT.notFound);
    expect(err).toContain('error: no request waits for you\n');
  });

  test('lists them where several wait, and approves none', async () => {
    const one = await ask('alice', '--reason', 'first');
    const other = await ask('dave', '--reason', 'second');
    const { code, err } = await as('bob', 'approve');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(`  ${one.id}  corp/spiffe://corp/alice  orders-db  1h  "first"\n`);
    expect(err).toContain(`  ${other.id}  corp/spiffe://corp/dave  orders-db  1h  "second"\n`);
    for (const { id } of [one, other])
      expect((await json<Named>(as('bob', 'requests', id, '-o', 'json'))).state).toBe('pending');
  });
});

describe('approve with a digest from elsewhere', () => {
  test('goes through where it is that of the request', async () => {
    const { id } = await ask('alice');
    const { digest } = await json<{ digest: string }>(as('bob', 'requests', id, '-o', 'json'));
    expect((await as('bob', 'approve', id, '--digest', digest.slice(0, 8))).code).toBe(EXIT.done);
  });

  test('sends nothing where it is that of another', async () => {
    const { id } = await ask('alice');
    const { code, err } = await as('bob', 'approve', id, '--digest', '0'.repeat(12));
    expect(code).toBe(EXIT.conflict);
    expect(err).toContain('nothing was sent');
    expect((await json<Named>(as('bob', 'requests', id, '-o', 'json'))).state).toBe('pending');
  });
});

/** Fake sleep: time passes, and meanwhile something happens once. */
function meanwhile(act: () => Promise<unknown>, after: Duration = seconds(2)) {
  const start = service.clock.read().mono;
  let done = false;
  return player(service, {
    time: {
      sleep: async (ms) => {
        service.clock.advance(ms as Duration);
        if (done || service.clock.read().mono - start < after) return;
        done = true;
        await act();
      },
    },
  });
}

describe('request --wait', () => {
  test('ends well when somebody approves, and says until when', async () => {
    const waiting = meanwhile(() => as('bob', 'approve'));
    const { code, out, err } = await waiting('alice', 'request', 'orders-db', '--wait', '-o', 'json');
    expect(code).toBe(EXIT.done);
    expect((JSON.parse(out) as Named).state).toBe('approved');
    const [first, second] = err.split('\n');
    expect(first).toMatch(/^req_\S+ waits for bob or frank; lapses in 1h$/);
    expect(second).toMatch(/^approved: access to orders-db ends in (1h|59m) \(/);
  });

  test('tells of each approval where several are needed', async () => {
    let given = 0;
    const waiting = meanwhile(() => as('bob', 'approve').then(() => (given += 1)));
    const done = waiting('alice', 'request', 'vault', '--reason', 'x', '--wait', '--timeout', '10m');
    const { code, err } = await done;
    expect(given).toBe(1);
    expect(code).toBe(EXIT.timedOut);
    expect(err).toMatch(/waits for bob or frank; lapses/);
    expect(err).toMatch(/waits for frank \(1 of 2: bob\); lapses/);
  });

  test.for<[string, (id: string) => Promise<unknown>, RegExp]>([
    ['denied', (id) => as('bob', 'deny', id, '--reason', 'no'), /was denied by bob: "no"/],
    ['withdrawn', (id) => as('alice', 'withdraw', id), /was withdrawn/],
    ['left alone until it lapses', async () => service.clock.advance(hours(2)), /has lapsed: nobody decided in time/],
  ])('ends with an exit code of its own when the request is %s', async ([, act, message]) => {
    const { id } = await ask('alice');
    const waiting = meanwhile(() => act(id));
    const { code, out, err } = await waiting('alice', 'request', 'orders-db', '--wait');
    expect(code).toBe(EXIT.notGranted);
    expect(err).toMatch(message);
    expect(out).toContain(id);
  });

  test('ends with another one when its time is over, exactly then, and the request still waits', async () => {
    const start = service.clock.read().mono;
    const waiting = meanwhile(async () => undefined);
    const { code, err } = await waiting('alice', 'request', 'orders-db', '--wait', '--timeout', '3m');
    expect(code).toBe(EXIT.timedOut);
    expect(service.clock.read().mono - start).toBe(minutes(3));
    expect(err).toMatch(/error: nobody has decided req_\S+ within 3m\nhint: it still waits/);
    expect((await json<Named[]>(as('alice', 'requests', '--state', 'pending', '-o', 'json'))).length).toBe(1);
  });

  test('without --wait there is nothing to time out', async () => {
    expect((await as('alice', 'request', 'orders-db', '--timeout', '3m')).code).toBe(EXIT.usage);
  });
});

describe('what the service refuses', () => {
  test.for<[string, number, string, string[]]>([
    ['nobody is admitted', EXIT.notPermitted, 'stranger', ['request', 'orders-db']],
    ['there is no such resource', EXIT.notFound, 'alice', ['request', 'nothing']],
    ['there is no such policy', EXIT.notPermitted, 'alice', ['request', 'orders-db', '--policy', 'none']],
    ['it is too long', EXIT.usage, 'alice', ['request', 'orders-db', '--for', '5h']],
    ['a reason is required', EXIT.usage, 'alice', ['request', 'vault']],
    ['there is no such action', EXIT.usage, 'alice', ['request', 'billing-api', '--action', 'none']],
    ['it is for somebody else', EXIT.notPermitted, 'alice', ['request', 'orders-db', '--subject', 'spiffe://corp/bob']],
    ['there is no such request', EXIT.notFound, 'bob', ['approve', `req_${'0'.repeat(26)}`]],
    ['locks are for operators', EXIT.notPermitted, 'alice', ['lock', '--person', 'bob', '--reason', 'x']],
  ])('%s: exit code %d', async ([, code, who, words]) => {
    const typed = await as(who, ...words);
    expect(typed).toMatchObject({ code, out: '' });
    expect(typed.err).toMatch(/^error: [^\n]+\n(error: [^\n]+\n)*hint: [^\n]+\n$/);
  });

  test('nobody approves access for themselves', async () => {
    const { id } = await ask('alice');
    expect((await as('alice', 'approve', id)).code).toBe(EXIT.notPermitted);
  });

  test('nobody decides twice', async () => {
    const { id } = await ask('alice');
    await as('bob', 'deny', id);
    expect((await as('frank', 'approve', id)).code).toBe(EXIT.conflict);
  });

  test('whoever is not known is told how to say who they are', async () => {
    const nobody = player(service, { env: { PORTCULLIS_CONTEXT: '' } });
    const { code, err } = await nobody('alice', 'requests', '--url', service.url, '--ca', 'ca.crt');
    expect(code).toBe(EXIT.notPermitted);
    expect(err).toContain('hint: give --cert and --key, or --token-file');
  });

  test('without TLS every way that a person may try ends at what the service lacks', async () => {
    const { plainUrl } = service;
    const nobody = player(service, { env: { PORTCULLIS_CONTEXT: '' } });
    const pair = ['--cert', 'alice.crt', '--key', 'alice.key'];
    const tried = await Promise.all([
      nobody('alice', 'request', 'orders-db', '--url', plainUrl.replace('http:', 'https:'), ...pair),
      nobody('alice', 'request', 'orders-db', '--url', plainUrl, ...pair),
      nobody('alice', 'request', 'orders-db', '--url', plainUrl),
      nobody('alice', 'token', 'create', '--url', plainUrl),
    ]);
    for (const { code, err } of tried) {
      expect(code).not.toBe(EXIT.done);
      expect(err).toMatch(/^hint: .*the operator of the service sets listen\.admin to \{ address, tls/m);
      expect(err).not.toMatch(/--token-file|ssl3|\\n/);
    }
    expect(tried[0].err).toMatch(/^error: cannot reach https:\S+: what listens there speaks no TLS\n/);
  });
});

describe('listings', () => {
  test('are the same in JSON and YAML, newest first, and filtered', async () => {
    const made = [await ask('alice', '--for', '1h'), await ask('dave', '--for', '2h')];
    const listed = ['requests', '--state', 'pending', '--resource', 'orders-db'];
    const all = await json<Named[]>(as('bob', ...listed, '-o', 'json'));
    expect(all.map(({ id }) => id)).toEqual(made.map(({ id }) => id).toReversed());
    expect(parse((await as('bob', ...listed, '-o', 'yaml')).out)).toEqual(all);
    expect(await json(as('bob', ...listed, '--person', 'dave', '-o', 'json'))).toEqual([all[0]]);
    expect(await json(as('bob', 'requests', '--mine', '-o', 'json'))).toEqual([]);
  });

  test('show as many as are asked for, and say that there may be more', async () => {
    for (const length of ['1h', '2h', '3h']) await ask('alice', '--for', length);
    const { out, err } = await as('alice', 'requests', '--state', 'pending', '--limit', '2');
    expect(out.trimEnd().split('\n')).toHaveLength(3);
    expect(err).toBe('there may be more than these 2; --limit shows more\n');
    expect((await as('alice', 'requests', '--state', 'pending', '--limit', '3')).err).toBe('');
  });

  test('that are empty say so to people, and are empty lists to programs', async () => {
    expect(await as('alice', 'grants', '--state', 'active')).toEqual({ code: 0, out: '', err: 'no grants\n' });
    expect(await as('alice', 'grants', '--state', 'active', '-o', 'json')).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  test('fit into a terminal and are coloured there, but not in a pipe', async () => {
    await ask('alice', '--reason', 'a reason that is far longer than the terminal is wide, and then some');
    const words = ['requests', '--state', 'pending'] as const;
    const piped = await as('alice', ...words);
    expect(piped.out).toContain('and then some');
    expect(piped.out).not.toContain('\u001b');
    const shown = await player(service, { terminal: 100 })('alice', ...words);
    expect(shown.out).toContain('\u001b[33mpending\u001b[39m');
    // oxlint-disable-next-line no-control-regex
    for (const line of shown.out.replace(/\u001b\[\d+m/g, '').split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect((await player(service, { terminal: 100, env: { NO_COLOR: '1' } })('alice', ...words)).out).not.toContain(
      '\u001b',
    );
    expect((await player(service, { env: { FORCE_COLOR: '1' } })('alice', ...words)).out).toContain('\u001b');
  });
});

test('a token speaks for whoever made it, over plain loopback and TLS alike', async () => {
  const { out } = await as('alice', 'token', 'create', '--for', '1h');
  for (const url of [service.plainUrl, service.url]) {
    const env = { PORTCULLIS_CONTEXT: '', PORTCULLIS_URL: url, PORTCULLIS_TOKEN: out.trim(), PORTCULLIS_CA: 'ca.crt' };
    const { code, out: me } = await player(service, { env })('alice', 'whoami');
    expect(code).toBe(EXIT.done);
    expect(me).toMatch(/^via {2,}tok_/m);
  }
});

test('over the admin socket calls the host', async () => {
  const { out } = await as('host', 'whoami', '-o', 'json');
  expect(JSON.parse(out)).toMatchObject({ kind: 'host', via: 'socket', person: null });
  expect((await as('host', 'request', 'orders-db')).code).toBe(EXIT.notPermitted);
});

test('connection options may stand before the command, and win behind it', async () => {
  const none = player(service, { env: { PORTCULLIS_CONTEXT: '' } });
  expect((await none('', '--context', './alice.yaml', 'whoami')).out).toMatch(/^name {2,}alice$/m);
  expect((await none('', '--context', './alice.yaml', 'whoami', '--context', './bob.yaml')).out).toMatch(
    /^name {2,}bob$/m,
  );
});

test('a service whose CA is another is not talked to', async () => {
  const { code, err } = await as('alice', 'whoami', '--ca', 'other-ca.crt');
  expect(code).toBe(EXIT.unreachable);
  expect(err).toMatch(
    /^error: cannot reach https:\/\/localhost:\d+: .+\nhint: name the CA of the service's certificate with --ca\n$/,
  );
});

test('speaking plainly to a TLS port, one is told to speak TLS', async () => {
  const env = { PORTCULLIS_CONTEXT: '', PORTCULLIS_TOKEN: 'x' };
  const { code, err } = await player(service, { env })(
    'alice',
    'whoami',
    '--url',
    service.url.replace('https:', 'http:'),
  );
  expect(code).toBe(EXIT.unreachable);
  expect(err).toContain(`try --url ${service.url}`);
});

test('nothing of all this has alarmed the service', () => {
  expect(service.alarms).toEqual([]);
});
