import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { decisionRecord } from '../../test/builders.js';
import { openService, type CliService } from '../../test/cli/service.js';
import { player } from '../../test/cli/typed.js';
import { sessionStanding } from '../../test/guard-service/played-sessions.js';
import { seconds, type Duration, type Instant } from '../domain/time.js';
import { EXIT } from './exit-codes.js';

let service: CliService;
let as: ReturnType<typeof player>;

beforeAll(async () => {
  service = await openService();
  as = player(service);
});
afterAll(() => service.close());

describe('lock, locks, unlock', () => {
  test('an operator locks a person for a while, sees it, and takes it away', async () => {
    const words = ['lock', '--person', 'alice', '--reason', 'incident 12', '--message', 'call the desk', '--for', '4h'];
    const made = await as('carol', ...words);
    expect(made.code).toBe(EXIT.done);
    const [, id] = /^lock {2,}(lock_\S+)$/m.exec(made.out)!;
    expect(made.out).toMatch(/^denies {2,}person alice$/m);
    expect(made.out).toMatch(/^expires {2,}in 4h \(/m);
    expect((await as('carol', 'locks', '--state', 'in_force')).out).toContain(`${id}  in_force  in 4h    person alice`);
    expect((await as('carol', 'locks', id!)).out).toMatch(/^message {2,}"call the desk"$/m);
    expect((await as('carol', 'unlock', id!)).code).toBe(EXIT.done);
    expect((await as('carol', 'locks')).err).toBe('no locks\n');
    expect((await as('carol', 'unlock', id!)).code).toBe(EXIT.notFound);
  });

  test.for([
    ['subject', 'spiffe://corp/dave', { kind: 'subject', subject: 'corp/spiffe://corp/dave' }],
    ['resource', 'vault', { kind: 'resource', resource: 'vault' }],
    ['person', 'dave', { kind: 'person', person: 'dave' }],
  ] as const)('the host locks a %s', async ([kind, name, target]) => {
    const { out } = await as('host', 'lock', `--${kind}`, name, '--reason', 'x', '-o', 'json');
    const lock = JSON.parse(out) as { id: string };
    expect(lock).toMatchObject({ target, createdBy: 'host', expiresAt: null });
    expect((await as('host', 'unlock', lock.id)).code).toBe(EXIT.done);
  });

  test('says what it has hit', async () => {
    const { err } = await as('carol', 'lock', '--resource', 'vault', '--reason', 'x');
    expect(err).toBe('it hits no grant and no session now\n');
    await as('alice', 'request', 'orders-db', '--reason', 'x');
    await as('bob', 'approve');
    service.sessions.standings.push(sessionStanding(1), sessionStanding(2));
    const hit = await as('carol', 'lock', '--person', 'alice', '--reason', 'x');
    expect(hit.err).toBe('2 sessions cut, 1 grant denied\n');
    service.sessions.isLate();
    const late = await as('carol', 'lock', '--resource', 'orders-db', '--reason', 'x');
    expect(late.err).toMatch(/^2 sessions being cut, 1 grant denied\nguard /);
    service.sessions.outstanding = [];
    service.sessions.standings.length = 0;
    await removeAllLocks();
  });

  test('a name of which nothing is known is locked only where that is wanted', async () => {
    const slip = await as('carol', 'lock', '--person', 'alise', '--reason', 'x');
    expect([slip.code, slip.out]).toEqual([EXIT.usage, '']);
    expect(slip.err).toBe(
      'error: nothing is known of a person "alise"; did you mean "alice"?\n' +
        'hint: nothing is locked; --unknown-ok locks that name all the same\n',
    );
    const wanted = await as('carol', 'lock', '--person', 'alise', '--reason', 'x', '--unknown-ok');
    expect(wanted.code).toBe(EXIT.done);
    expect(wanted.err).toContain('warning: nothing is known of a person "alise"');
    const subject = await as('carol', 'lock', '--subject', 'spiffe://corp/alicce', '--reason', 'x');
    expect(subject.code).toBe(EXIT.done);
    expect(subject.err).toMatch(/^warning: nobody claims .*; did you mean "corp\/spiffe:\/\/corp\/alice"\?\n/);
    await removeAllLocks();
  });

  test('a lock that is taken away is shown as removed', async () => {
    const { out } = await as('host', 'lock', '--person', 'dave', '--reason', 'x', '-o', 'json');
    const { id } = JSON.parse(out) as { id: string };
    const removed = await as('host', 'unlock', id);
    expect(removed.out).toMatch(/^state {2,}removed$/m);
    expect(removed.out).not.toMatch(/^expires/m);
  });

  test.for([[[]], [['--person', 'a', '--resource', 'b']], [['--person', 'a', '--resource', 'b', '--subject', 'c']]])(
    'not exactly one target (%j) is no lock',
    async ([targets]) => {
      const { code, err } = await as('carol', 'lock', ...targets!, '--reason', 'x');
      expect(code).toBe(EXIT.usage);
      expect(err).toContain('give exactly one of --subject, --person and --resource');
    },
  );
});

async function removeAllLocks() {
  const { out } = await as('host', 'locks', '-o', 'json');
  for (const { id } of JSON.parse(out) as { id: string }[]) await as('host', 'unlock', id);
}

describe('token create, tokens, token revoke', () => {
  test('a secret stands alone on standard output, and opens the API until it is revoked', async () => {
    const made = await as('alice', 'token', 'create', '--for', '2h');
    expect(made.out).toMatch(/^pcs_\S+\n$/);
    expect(made.err).not.toContain(made.out.trim());
    const [, id] = /^ {2}token {2,}(tok_\S+)$/m.exec(made.err)!;
    writeFileSync(service.file('alice.token'), made.out);
    const words = ['--url', service.plainUrl, '--token-file', 'alice.token'];
    expect((await as('alice', 'whoami', ...words)).code).toBe(EXIT.done);
    expect((await as('alice', 'tokens', '--mine')).out).toContain(`${id}  usable  in 2h    person alice  alice`);
    expect((await as('alice', 'token', 'revoke', id!)).out).toMatch(/^state {2,}revoked$/m);
    expect((await as('alice', 'whoami', ...words)).code).toBe(EXIT.notPermitted);
  });

  test('the host makes the first service token', async () => {
    const words = ['token', 'create', '--service', 'ci-runner', '--subject', 'spiffe://corp/ci', '--for', '30d'];
    const { out } = await as('host', ...words, '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      holder: { kind: 'service', name: 'ci-runner', subject: 'corp/spiffe://corp/ci' },
      createdBy: 'host',
    });
    expect((await as('ada', 'tokens')).out).toContain('service ci-runner corp/spiffe://corp/ci');
    expect((await as('alice', 'token', 'create', '--service', 'mine')).code).toBe(EXIT.notPermitted);
  });
});

/** Two decisions of earlier, and what a person knows of them. */
async function someDecisions() {
  const at = service.clock.read().wall;
  await service.store.recordDecisions([
    decisionRecord(1, { at: (at - 60_000) as Instant, request: 'GET /invoices/7' }),
    decisionRecord(2, { at: (at - 30_000) as Instant, effect: 'allow', reason: null, source: '10.0.0.1:5' }),
  ]);
}

describe('decisions', () => {
  beforeAll(someDecisions);

  test('are listed, newest first, and filtered', async () => {
    const { out } = await as('erin', 'decisions');
    const [titles, newest, oldest] = out.split('\n');
    expect(titles).toMatch(/^DECISION +AT +ANSWER +RESOURCE +SUBJECT +REQUEST$/);
    expect(newest).toMatch(/^dec_0+2 .* allow +orders-db +corp\/spiffe:\/\/corp\/alice +10\.0\.0\.1:5$/);
    expect(oldest).toMatch(/^dec_0+1 .* deny no_grant +orders-db +corp\/spiffe:\/\/corp\/alice +GET \/invoices\/7$/);
    for (const filter of [
      ['--effect', 'deny'],
      ['--reason', 'no_grant'],
    ])
      expect(JSON.parse((await as('erin', 'decisions', ...filter, '-o', 'json')).out)).toHaveLength(1);
    expect(JSON.parse((await as('dave', 'decisions', '-o', 'json')).out)).toEqual([]);
    const since = new Date(service.clock.read().wall - 45_000).toISOString();
    expect(JSON.parse((await as('alice', 'decisions', '--mine', '--since', since, '-o', 'json')).out)).toHaveLength(1);
  });

  test('a reason that there is not is answered with those that there are', async () => {
    const { code, err } = await as('erin', 'decisions', '--reason', 'none');
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('expected one of no_certificate, untrusted_issuer');
  });

  test('one is explained by its id', async () => {
    const { out, code } = await as('alice', 'explain', '--decision', `dec_${'1'.padStart(26, '0')}`);
    expect(code).toBe(EXIT.done);
    expect(out).toMatch(/^answer {2,}deny no_grant$/m);
    expect(out).toMatch(/^why {2,}there is no grant for this access; ask for one$/m);
    expect((await as('dave', 'explain', '--decision', `dec_${'1'.padStart(26, '0')}`)).code).toBe(EXIT.notFound);
    // The options of the connection say who asks, and nothing about the question.
    const context = ['--context', './alice.yaml', '--url', service.url];
    const asked = await as('dave', 'explain', '--decision', `dec_${'1'.padStart(26, '0')}`, ...context);
    expect([asked.code, asked.out]).toEqual([EXIT.done, out]);
  });
});

describe('explain', () => {
  test('says what would be decided, and what may help', async () => {
    const { out } = await as('dave', 'explain', '--subject', 'spiffe://corp/dave', '--resource', 'orders-db');
    expect(out).toMatch(/^answer {2,}deny no_grant$/m);
    expect(out).toMatch(/^policies {2,}prod-data$/m);
    expect(out).toMatch(/^try {2,}portcullis request orders-db --reason/m);
  });

  test('takes a certificate, its leaf where the file is a chain, and a request as a browser would make it', async () => {
    const chain = service.file('chain.crt');
    writeFileSync(chain, readFileSync(service.file('dave.crt'), 'utf8') + readFileSync(service.file('ca.crt'), 'utf8'));
    const words = ['--authority', 'billing.internal:443', '--method', 'GET', '--path', '/invoices/7', '-o', 'json'];
    const { out, err } = await as('dave', 'explain', '--cert', 'chain.crt', ...words);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      subject: 'corp/spiffe://corp/dave',
      resource: 'billing-api',
      actions: ['read'],
    });
  });

  test('is about whoever asks, unless it names somebody', async () => {
    const asked = ['explain', '--resource', 'orders-db', '-o', 'json'];
    expect(JSON.parse((await as('dave', ...asked)).out)).toMatchObject({ subject: 'corp/spiffe://corp/dave' });
    await as('dave', 'token', 'create').then(({ out }) => writeFileSync(service.file('dave.token'), out));
    const byToken = await as('dave', ...asked, '--url', service.plainUrl, '--token-file', 'dave.token');
    expect(JSON.parse(byToken.out)).toMatchObject({ subject: 'corp/spiffe://corp/dave' });
    const host = await as('host', ...asked);
    expect(host.code).toBe(EXIT.usage);
    expect(host.err).toContain('host has no subject of its own\nhint: say whom it is about with --subject');
  });

  test('tells --cert of the question from that of the caller', async () => {
    const bare = player(service, {
      env: { PORTCULLIS_CONTEXT: '', PORTCULLIS_URL: service.url, PORTCULLIS_CA: 'ca.crt' },
    });
    const own = ['--cert', 'erin.crt', '--key', 'erin.key'];
    const asked = ['explain', '--cert', 'dave.crt', '--resource', 'orders-db', '-o', 'json'];
    const { out, code } = await bare('', ...own, ...asked);
    expect(code).toBe(EXIT.done);
    expect(JSON.parse(out)).toMatchObject({ subject: 'corp/spiffe://corp/dave' });
    expect((await bare('', ...asked)).code).toBe(EXIT.notPermitted);
  });

  test.for([
    [['--subject', 's', '--cert', 'c', '--resource', 'r'], 'give one of --cert and --subject'],
    [['--subject', 's'], 'give exactly one of --resource, --authority'],
    [['--subject', 's', '--resource', 'r', '--authority', 'a'], 'give exactly one of --resource, --authority'],
    [['--subject', 's', '--resource', 'r', '--method', 'GET'], '--method and --path go together'],
    [['--subject', 's', '--resource', 'r', '--upgrade'], '--upgrade only with them'],
    [['--decision', `dec_${'1'.padStart(26, '0')}`, '--resource', 'r'], '--decision names everything by itself'],
    [['--cert', 'ca.key', '--resource', 'r'], 'no such file or directory'],
    [['--cert', 'alice.yaml', '--resource', 'r'], 'holds no certificate in PEM'],
  ] as const)('%j is no question', async ([words, message]) => {
    const { code, err } = await as('alice', 'explain', ...words);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(message);
  });
});

/** Runs `decisions --watch` until the given work, one piece a look, is done. */
async function watched(words: readonly string[], work: readonly (() => Promise<void>)[]) {
  const todo = [...work];
  class Enough extends Error {}
  const watching = player(service, {
    time: {
      sleep: async (ms) => {
        service.clock.advance(ms as Duration);
        const next = todo.shift();
        if (!next) throw new Enough('enough');
        await next();
      },
    },
  });
  const { out, err } = await watching('erin', 'decisions', '--watch', ...words);
  expect(err).toContain('enough');
  return out;
}

describe('decisions --watch', () => {
  let number = 100;
  const record =
    (over: { ago?: number } = {}) =>
    async () => {
      const at = (service.clock.read().wall - (over.ago ?? 0)) as Instant;
      await service.store.recordDecisions([decisionRecord(++number, { at })]);
    };
  const nothing = async () => undefined;
  const idsOf = (out: string) => [...out.matchAll(/dec_0+(\d+)/g)].map(([, n]) => Number(n));

  test('prints what is new, each once, in the order of its making, below one line of titles', async () => {
    const first = number + 1;
    const out = await watched(
      [],
      [record(), nothing, async () => (await record()(), await record()()), nothing, nothing],
    );
    expect(idsOf(out)).toEqual([first, first + 1, first + 2]);
    expect(out.match(/^DECISION/gm)).toHaveLength(1);
    const [, one, two] = out.split('\n');
    expect(one!.indexOf('deny')).toBe(two!.indexOf('deny'));
  });

  test('finds one that was written late', async () => {
    const first = number + 1;
    const out = await watched([], [record(), record({ ago: seconds(3) }), nothing]);
    expect(idsOf(out)).toEqual([first, first + 1]);
  });

  test('begins where it is told to', async () => {
    const since = new Date(service.clock.read().wall).toISOString();
    service.clock.advance(seconds(1));
    await record()();
    const out = await watched(['--since', since], [nothing, record()]);
    expect(idsOf(out)).toEqual([number - 1, number]);
  });

  test('is JSON lines with -o json, and one document each with -o yaml', async () => {
    const lines = (await watched(['-o', 'json'], [record(), record()])).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { effect: string }).effect)).toEqual(['deny', 'deny']);
    const documents = parseAllDocuments(await watched(['-o', 'yaml'], [record(), record()])) as { toJS(): unknown }[];
    expect(documents.map((one) => (one.toJS() as { effect: string }).effect)).toEqual(['deny', 'deny']);
  });

  test('misses none where many come at once', async () => {
    const first = number + 1;
    const many = async () => {
      const at = service.clock.read().wall;
      await service.store.recordDecisions(Array.from({ length: 1_100 }, () => decisionRecord(++number, { at })));
    };
    const found = idsOf(await watched(['-o', 'json'], [many, nothing]));
    const all = Array.from({ length: 1_100 }, (_, i) => first + i);
    expect(found.toSorted((a, b) => a - b)).toEqual(all);
    // Nor does a listing, which takes several pages.
    const { out, err } = await as('erin', 'decisions', '--limit', '1100', '-o', 'json');
    expect(idsOf(out).toSorted((a, b) => a - b)).toEqual(all);
    expect(err).toContain('there may be more');
  });
});

test('nothing of all this has alarmed the service', () => {
  expect(service.alarms).toEqual([]);
});
