import { credentials, ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { T0 } from '../../test/builders.js';
import { guardScene } from '../../test/guard-service/scene.js';
import { REFUSED, until } from '../../test/guard-service/played-guard.js';
import { clientOf, serverOf, testCa } from '../../test/pki.js';
import { revokeGrant } from '../access/end-grant.js';
import { cutSession } from '../access/cut-session.js';
import { peerAdmitted } from '../authz/peer.js';
import { parsePattern } from '../policy/subject-text.js';
import { hours, seconds, type Duration } from '../domain/time.js';

const HOST = { kind: 'host' } as const;
const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('who is no guard', () => {
  test.for([
    ['a hello of another protocol', { protocol: 2 }, 'the hello is of protocol 2, this service speaks 1'],
    ['a hello without a guard', { guardId: '' }, 'the hello names no guard'],
    ['a hello with an odd guard', { guardId: '../../x' }, 'the hello names no guard'],
    ['a session without a number', { sessions: [{ grantId: 'gr_x' }] }, 'a session has no number'],
  ] as const)('%s ends the stream, and is alarmed', async ([, over, details]) => {
    const scene = await guardScene();
    const guard = scene.guard();
    guard.open();
    guard.say({ hello: { ...guard.hello(), ...over } });
    await until(() => guard.over !== null, 'the end of the stream');
    expect(guard.over).toMatchObject({ code: REFUSED, details });
    expect(String(scene.alarms)).toContain(details);
  });

  test('a second hello ends the stream', async () => {
    const scene = await guardScene();
    const guard = await scene.connected();
    guard.say({ hello: guard.hello() });
    await until(() => guard.over !== null, 'the end of the stream');
    expect(guard.over!.details).toBe('a second hello has come');
  });

  test('the word that a command was applied which was never sent ends the stream', async () => {
    const scene = await guardScene();
    const guard = await scene.connected();
    guard.say({ applied: { command: 99 } });
    await until(() => guard.over !== null, 'the end of the stream');
    expect(guard.over!.details).toBe('a command was applied that was never sent');
  });

  test('more sessions in the hellos than a guard may hold end the stream', async () => {
    const scene = await guardScene({ settings: { maxSessions: 2 } });
    const { id } = await scene.grant();
    const guard = scene.guard();
    for (let n = 0; n < 3; n++) guard.enter(id);
    await guard.connect();
    expect(guard.over!.details).toBe('the hellos name more sessions than a guard may hold');
  });

  test('a certificate that is not named keeps its holder out, and is alarmed', async () => {
    const ca = testCa();
    const server = serverOf(ca);
    const scene = await guardScene({
      listener: {
        target: '127.0.0.1:0',
        credentials: ServerCredentials.createSsl(
          Buffer.from(ca.pem),
          [{ cert_chain: Buffer.from(server.pem), private_key: Buffer.from(server.keyPem) }],
          true,
        ),
        admits: peerAdmitted([parsePattern('spiffe://corp/envoy')]),
      },
    });
    const as = (name: string) => {
      const { pem, keyPem } = clientOf(ca, `spiffe://corp/${name}`);
      return credentials.createSsl(Buffer.from(ca.pem), Buffer.from(keyPem), Buffer.from(pem));
    };
    const stranger = await scene.connected({ channel: as('alice') });
    expect(stranger.over).toMatchObject({ details: 'this peer is not among listen.guard.tls.names' });
    expect(String(scene.alarms)).toMatch(/a peer that is not named/);
    const envoy = await scene.connected({ channel: as('envoy') });
    expect(envoy.welcomes()).toBe(1);
  });
});

describe('streams of one guard', () => {
  test('a later stream takes over; an earlier one, or the same once more, does not', async () => {
    const scene = await guardScene();
    const first = await scene.connected();
    const second = scene.guard({ id: first.id });
    second.attempt = 1;
    await second.connect();
    await until(() => first.over !== null, 'the end of the first');
    expect(first.over!.details).toBe('another stream of this guard has taken over');
    for (const attempt of [0, 1]) {
      const old = scene.guard({ id: first.id });
      old.attempt = attempt;
      await old.connect();
      expect(old.over!.details).toBe('this stream is older than another one of this guard');
    }
    expect([second.over, scene.side.size.guards]).toEqual([null, 1]);
  });

  test('two guards of one node are two', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const [one, two] = [await scene.connected({ node: 'same' }), await scene.connected({ node: 'same' })];
    one.enter(id);
    two.enter(id);
    await scene.liveBecomes(2);
    expect(new Set(scene.live().map(({ session }) => session.id)).size).toBe(2);
    one.leave(1);
    await scene.liveBecomes(1);
    expect(scene.live()[0]!.session.guard).toBe(two.id);
    await revokeGrant(scene.needed, HOST, { id }, null);
    expect(await scene.side.settle(1_000)).toEqual([]);
    expect(two.ended.get(1)).toBe('CUT');
  });

  test('a hello in several parts is one, and what follows it comes after it', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = scene.guard();
    for (let n = 0; n < 250; n++) guard.enter(id);
    const all = [...guard.sessions.values()].map((held) => guard.message(held));
    guard.open();
    const hello = guard.hello();
    guard.say({ hello: { ...hello, sessions: all.slice(0, 100), more: true } });
    guard.say({ hello: { ...hello, sessions: all.slice(100, 200), more: true } });
    guard.say({ hello: { ...hello, sessions: all.slice(200) } });
    guard.leave(250);
    await scene.liveBecomes(249);
    expect(guard.welcomes()).toBe(1);
    expect(scene.ended()).toMatchObject([{ end: { reason: 'closed' } }]);
  });
});

describe('a guard that was out of contact', () => {
  test('finds its sessions as they were when it comes back within the grace', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.enter(id);
    guard.enter(id);
    await scene.liveBecomes(2);
    const before = scene.live().map(({ session }) => session.id);
    guard.break();
    await until(() => scene.side.size.guards === 0, 'the break to be noticed');
    scene.clock.advance(seconds(10));
    scene.side.tick();
    expect(scene.live()).toHaveLength(2);
    guard.leave(1);
    await guard.connect();
    await scene.liveBecomes(1);
    expect(scene.live().map(({ session }) => session.id)).toEqual([before[1]]);
    expect(scene.ended()).toMatchObject([{ session: { id: before[0] }, end: { reason: 'unseen', cutAfter: null } }]);
    expect(await scene.written('session.opened')).toHaveLength(2);
    expect(await scene.written('guard.joined')).toHaveLength(1);
  });

  test('is told of what was revoked meanwhile, and the revoke says that it was not', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.enter(id);
    await scene.liveBecomes(1);
    guard.break();
    await until(() => scene.side.size.guards === 0, 'the break to be noticed');
    scene.clock.advance(seconds(4));
    await revokeGrant(scene.needed, HOST, { id }, null);
    expect(await scene.side.settle(20)).toEqual([{ guard: guard.id, node: 'envoy-1', endsAt: T0 + seconds(16) }]);
    const settled = scene.side.settle(2_000);
    await guard.connect();
    expect(await settled).toEqual([]);
    expect(guard.ended.get(1)).toBe('CUT');
    await scene.liveBecomes(0);
    expect(scene.ended()[0]!.end!.reason).toBe('revoked');
  });

  test('is told of what was cut by hand meanwhile', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.enter(id);
    await scene.liveBecomes(1);
    guard.break();
    await until(() => scene.side.size.guards === 0, 'the break to be noticed');
    const session = scene.live()[0]!.session.id;
    await cutSession({ ...scene.needed, sessions: scene.side }, HOST, { id: session }, null);
    await guard.connect();
    await until(() => guard.ended.has(1), 'the cut');
    await scene.liveBecomes(0);
    expect(scene.ended()[0]!.end!.reason).toBe('cut');
  });

  test('is gone when the grace is over, and its sessions with it', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.enter(id);
    await scene.liveBecomes(1);
    guard.break();
    await until(() => scene.side.size.guards === 0, 'the break to be noticed');
    scene.clock.advance(seconds(16));
    scene.side.tick();
    expect(scene.live()).toHaveLength(1);
    scene.clock.advance(1 as Duration);
    scene.side.tick();
    expect(scene.live()).toEqual([]);
    expect(await scene.written('session.closed')).toMatchObject([{ end: { reason: 'gone' } }]);
    expect(await scene.written('guard.left')).toMatchObject([{ guard: { id: guard.id, node: 'envoy-1' } }]);
    expect(await scene.side.settle(0)).toEqual([]);
  });

  test('is out of contact when it is silent for the grace, though its stream is open', async () => {
    const scene = await guardScene();
    const guard = await scene.connected();
    scene.clock.advance(seconds(15));
    guard.heartbeat();
    await soon();
    scene.clock.advance(seconds(15));
    scene.side.tick();
    expect(scene.side.size.guards).toBe(1);
    scene.clock.advance(1 as Duration);
    scene.side.tick();
    expect(scene.side.size.guards).toBe(0);
    await until(() => guard.over !== null, 'the end of the stream');
  });

  test('that half-closes its stream is out of contact', async () => {
    const scene = await guardScene();
    const guard = await scene.connected();
    guard.halfClose();
    await until(() => scene.side.size.guards === 0, 'the break to be noticed');
    expect(await scene.side.settle(0)).toMatchObject([{ guard: guard.id }]);
  });
});

describe('commands', () => {
  test('that are not applied are told of, and after five seconds the guard is sent away to come again', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.enter(id);
    await scene.liveBecomes(1);
    guard.isDeaf = true;
    await revokeGrant(scene.needed, HOST, { id }, null);
    expect(await scene.side.settle(30)).toEqual([{ guard: guard.id, node: 'envoy-1', endsAt: T0 + seconds(15) }]);
    scene.clock.advance(seconds(5));
    scene.side.tick();
    expect(scene.side.size.guards).toBe(1);
    scene.clock.advance(1 as Duration);
    scene.side.tick();
    await until(() => guard.over !== null, 'the end of the stream');
    expect(String(scene.alarms)).toMatch(/does not apply what it is told/);
    guard.isDeaf = false;
    await guard.connect();
    await until(() => guard.ended.get(1) === 'CUT', 'the cut');
  });

  test('that came but of which no word came back count as not applied', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    guard.isMute = true;
    await revokeGrant(scene.needed, HOST, { id }, null);
    expect(await scene.side.settle(30)).toHaveLength(1);
    expect(guard.tombstones.has(id)).toBe(true);
  });

  test('that are carried out in any order, or twice, leave nothing alive', async () => {
    const scene = await guardScene({ certificateUntil: () => undefined });
    const first = await scene.grant();
    const guard = await scene.connected();
    guard.enter(first.id);
    guard.enter(first.id);
    await scene.liveBecomes(2);
    guard.isDeaf = true;
    const second = await scene.grant({ duration: hours(2) });
    await revokeGrant(scene.needed, HOST, { id: first.id }, null);
    await revokeGrant(scene.needed, HOST, { id: second.id }, null);
    await until(() => guard.commands('cut').length === 1, 'the commands');
    guard.isDeaf = false;
    const commands = guard.heard.filter(({ command }) => command > 1);
    for (const command of [...commands.toReversed(), ...commands]) guard.obey(command);
    expect(guard.sessions.size).toBe(0);
    await scene.liveBecomes(0);
  });

  test('a wait of no length says at once who has not applied everything', async () => {
    const scene = await guardScene();
    const { id } = await scene.grant();
    const guard = await scene.connected();
    await scene.side.settle(1_000);
    guard.isDeaf = true;
    await revokeGrant(scene.needed, HOST, { id }, null);
    expect(await scene.side.settle(0)).toHaveLength(1);
  });
});

test('a service that ends sends all guards away and takes no new ones', async () => {
  const scene = await guardScene();
  const guard = await scene.connected();
  await scene.side.close();
  await until(() => guard.over !== null, 'the end of the stream');
  const late = await scene.connected();
  expect([guard.over!.details, late.over!.details]).toEqual(['the service ends', 'the service ends']);
});

describe('after a restart of the service', () => {
  /** Two sessions under a grant, and the service ends. */
  async function left() {
    const before = await guardScene();
    const { id } = await before.grant();
    const guard = await before.connected();
    guard.enter(id);
    guard.enter(id);
    await before.liveBecomes(2);
    const ids = before.live().map(({ session }) => session.id);
    await before.stop();
    const restart = async () => {
      const after = await guardScene({ store: before.store });
      expect(await after.side.settle(0)).toMatchObject([{ guard: guard.id, node: 'envoy-1' }]);
      const again = after.guard({ id: guard.id });
      for (const [number, held] of guard.sessions) again.sessions.set(number, held);
      again.attempt = 1;
      await again.connect();
      return { after, again };
    };
    return { before, id, ids, restart };
  }

  test('every session is found again under its id, and none is cut', async () => {
    const { ids, restart } = await left();
    const { after, again } = await restart();
    await after.liveBecomes(2);
    expect(after.live().map(({ session }) => session.id)).toEqual(ids);
    expect([again.sessions.size, await after.side.settle(1_000)]).toEqual([2, []]);
    const opened = await after.written('session.opened');
    expect(opened.map((entry) => 'resumed' in entry && entry.resumed)).toEqual([false, false, true, true]);
  });

  test('what was revoked before its guard came back is cut', async () => {
    const { before, id, restart } = await left();
    await revokeGrant(before.needed, HOST, { id }, null);
    const { after, again } = await restart();
    await until(() => again.sessions.size === 0, 'the cuts');
    await until(() => after.ended().length === 2, 'the ends');
    expect(after.ended().map(({ end }) => end!.reason)).toEqual(['revoked', 'revoked']);
  });
});
