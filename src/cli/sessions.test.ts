import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { at } from '../../test/builders.js';
import { openService, type CliService } from '../../test/cli/service.js';
import { player } from '../../test/cli/typed.js';
import { session, sessionId, sessionStanding } from '../../test/guard-service/played-sessions.js';
import { EXIT } from './exit-codes.js';
import { printBytes } from './sessions/card.js';

let service: CliService;
let as: ReturnType<typeof player>;

beforeAll(async () => {
  service = await openService();
  as = player(service);
});
afterAll(() => service.close());

const ended = sessionStanding(2, {
  end: { reason: 'revoked', at: at(0), cutAfter: 7, upstream: null, bytesReceived: 0, bytesSent: 0 },
});

beforeEach(() => {
  service.sessions.standings.splice(0, Infinity, sessionStanding(1), { ...ended, session: session(2) });
  service.sessions.outstanding = [];
});

test('sessions lists what lives and what has ended lately', async () => {
  const { out, err } = await as('alice', 'sessions');
  expect(err).toBe('');
  expect(out.split('\n')).toEqual([
    'SESSION                         STATE    BEGAN  ENDS   RESOURCE   SUBJECT                   FROM            BYTES',
    expect.stringMatching(/^ses_0{25}2 {2}revoked .* now .*orders-db .*192\.0\.2\.7:4711 {2}5\.4 MiB$/),
    expect.stringMatching(/^ses_0{25}1 {2}live .* in 1h .*orders-db .*192\.0\.2\.7:4711 {2}5\.4 MiB$/),
    '',
  ]);
  expect((await as('alice', 'sessions', '--state', 'live')).out).not.toContain(sessionId(2));
  expect(await as('dave', 'sessions')).toMatchObject({ code: EXIT.done, err: 'no sessions\n' });
});

test('sessions -o json has how long a cut took', async () => {
  const all = JSON.parse((await as('erin', 'sessions', '-o', 'json')).out) as { end: unknown }[];
  expect(all.map(({ end }) => end)).toEqual([
    { at: '2026-01-01T00:00:00.000Z', reason: 'revoked', cutAfterMs: 7 },
    null,
  ]);
});

test('sessions with an id shows one', async () => {
  const { out } = await as('alice', 'sessions', sessionId(2));
  expect(out).toMatch(/^state {2,}revoked$/m);
  expect(out).toMatch(/^cut after {2,}7 ms$/m);
  expect(out).toMatch(/^to {2,}10\.0\.0\.7:5432$/m);
  expect((await as('dave', 'sessions', sessionId(2))).code).toBe(EXIT.notFound);
});

test('sessions --watch prints what lives, and then what begins and ends', async () => {
  const enough = new Error('enough');
  const work = [
    () => service.sessions.standings.push(sessionStanding(3)),
    () => service.sessions.standings.splice(0, 1, { ...ended, session: session(1) }),
  ];
  const watching = player(service, {
    time: {
      sleep: async () => {
        if (work.length === 0) throw enough;
        work.shift()!();
      },
    },
  });
  const { out } = await watching('alice', 'sessions', '--watch', '-o', 'json');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; state: string });
  expect(lines.map(({ id, state }) => [Number(id.slice(4)), state])).toEqual([
    [1, 'live'],
    [3, 'live'],
    [1, 'ended'],
  ]);
});

test('of what was cut by hand it says by whom, and why', async () => {
  const end = { ...ended.end!, reason: 'cut' } as const;
  service.sessions.standings.push(sessionStanding(3, { end, cutBy: { by: 'carol', why: 'stuck' } }));
  expect((await as('alice', 'sessions', sessionId(3))).out).toMatch(/^cut by {2,}carol: "stuck"$/m);
  expect((await as('alice', 'sessions', sessionId(2))).out).not.toContain('cut by');
});

test('cut shows the end of the session, once its guard has told it', async () => {
  const cutting = player(service, {
    time: { sleep: async () => void service.sessions.standings.splice(0, 1, { ...ended, session: session(1) }) },
  });
  const { out } = await cutting('alice', 'cut', sessionId(1));
  expect(out).toMatch(/^state {2,}revoked$/m);
  expect(out).toMatch(/^cut after {2,}7 ms$/m);
});

test('cut says that a session is being cut where its end is not told yet', async () => {
  const { out } = await as('alice', 'cut', sessionId(1));
  expect(out).toMatch(/^state {2,}being cut$/m);
  expect(out).not.toMatch(/^ends/m);
});

test('cut cuts, and says where that has not happened yet', async () => {
  expect(await as('alice', 'cut', sessionId(1), '--reason', 'stuck')).toMatchObject({ code: EXIT.done, err: '' });
  service.sessions.isLate();
  const late = await as('carol', 'cut', sessionId(1));
  expect(late.code).toBe(EXIT.done);
  expect(late.err).toBe(
    `guard ${'0'.repeat(31)}1 in envoy-1 has not applied this yet; what it ended is over there in 15s (2026-01-01T00:00:15.000Z) at the latest\n`,
  );
  expect((await as('erin', 'cut', sessionId(1))).code).toBe(EXIT.notPermitted);
});

test('revoke and lock wait for the guards unless they are told not to', async () => {
  service.sessions.waits.length = 0;
  const lock = ['lock', '--person', 'dave', '--reason', 'x'];
  await as('carol', ...lock);
  await as('carol', ...lock, '--no-wait');
  await as('alice', 'cut', sessionId(1), '--no-wait');
  expect(service.sessions.waits).toEqual([200, 0, 0]);
});

test.for([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1 KiB'],
  [1_536, '1.5 KiB'],
  [104_857_600, '100 MiB'],
  [2 ** 60, '1048576 TiB'],
] as const)('%i bytes are %s', ([bytes, text]) => {
  expect(printBytes(bytes)).toBe(text);
});
