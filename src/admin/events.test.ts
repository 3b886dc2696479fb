import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { actorFor, alice } from '../../test/builders.js';
import { adminPolicies, adminScene, type CallWith } from '../../test/openapi/scene.js';
import { listenOn } from '../../test/openapi/tls.js';
import { printPosition } from '../access/events/position.js';
import { MAX_BEHIND } from '../access/events/events.js';
import { createLock } from '../access/lock.js';
import { withdrawRequest } from '../access/request.js';
import { createToken, revokeToken } from '../access/token.js';
import { hours, minutes } from '../domain/time.js';
import { EventStream } from './event-stream.js';
import { createAdmin } from './server.js';
import type { Limits } from './limits.js';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it as they like
type Json = any;

interface Heard {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: Json;
}

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function started(limits: Partial<Limits> = {}) {
  const scene = adminScene({ limits: { streamMs: 60_000, ...limits } });
  const port = await listenOn(scene.app);
  open.push(() => scene.app.close());

  async function answerTo(secret: string, path: string, headers: CallWith['headers'] = {}): Promise<IncomingMessage> {
    const call = request({
      port,
      host: '127.0.0.1',
      path,
      headers: { authorization: `Bearer ${secret}`, ...headers },
      agent: false,
    });
    call.on('error', () => undefined);
    onTestFinished(() => void call.destroy());
    const [response] = (await once(call.end(), 'response')) as [IncomingMessage];
    return response;
  }

  /** Listens as somebody; what is heard gathers in `events`. */
  async function listen(who: string, path = '/v1/events', headers: CallWith['headers'] = {}) {
    const response = await answerTo(await scene.secretOf(who), path, headers);
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    return reading(response);
  }

  return { ...scene, port, listen, answerTo };
}

function reading(response: IncomingMessage) {
  let text = '';
  let wake = () => undefined as void;
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    text += part;
    wake();
  });
  response.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  const events = (): Heard[] =>
    text.split('\n\n').flatMap((block) => {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return data === undefined ? [] : [{ id: field('id'), type: field('event')!, data: JSON.parse(data) }];
    });
  return {
    response,
    events,
    types: () => events().map(({ type }) => type),
    text: () => text,
    ended,
    lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1],
    /** Waits until so much has been heard. */
    async until(enough: () => boolean, ms = 2_000): Promise<void> {
      const over = performance.now() + ms;
      while (!enough()) {
        if (performance.now() > over) throw new Error(`not within ${ms} ms; heard:\n${text}`);
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), sleep(20)]);
      }
    },
    close: () => response.destroy(),
  };
}

test('a reviewer hears of a request within a second, and of what becomes of it, as the lists show it', async () => {
  const scene = await started();
  const bob = await scene.listen('bob', '/v1/events?about=requests&reviewable=true');
  const begun = performance.now();
  const { id } = await scene.ask('alice');
  await bob.until(() => bob.events().length === 1, 1_000);
  expect(performance.now() - begun).toBeLessThan(1_000);
  const { body } = await scene.call('bob', 'GET', `/v1/requests/${id}`);
  expect(bob.events()[0]).toMatchObject({ type: 'request.created', data: { type: 'request.created', request: body } });
  await withdrawRequest(scene.needed, actorFor('alice'), { id }, null);
  await bob.until(() => bob.events().length === 2);
  expect(bob.events()[1]).toMatchObject({ type: 'request.withdrawn', data: { request: { id, state: 'withdrawn' } } });
});

test('what one has no business with is not heard, and what one does not wish for neither', async () => {
  const scene = await started();
  const [alone, own, dave, olga, grants] = await Promise.all([
    scene.listen('alice'),
    scene.listen('alice', '/v1/events?mine=true'),
    scene.listen('dave'),
    scene.listen('olga', '/v1/events?about=locks'),
    scene.listen('axel', '/v1/events?about=grants'),
  ]);
  const { id } = await scene.ask('alice');
  await scene.review('bob', id);
  await createLock(scene.needed, { kind: 'host' }, { target: { kind: 'subject', subject: alice }, reason: 'x' }, null);
  await scene.ask('dave', { justification: 'last' });
  scene.clock.advance(minutes(55));
  scene.events.tick();
  await grants.until(() => grants.types().length === 1);
  await dave.until(() => dave.types().length === 1);
  await alone.until(() => alone.types().length === 3);
  await own.until(() => own.types().length === 3);
  await olga.until(() => olga.types().length === 1);
  expect(alone.types()).toEqual(['request.created', 'request.approved', 'grant.ends_soon']);
  expect(own.types()).toEqual(alone.types());
  expect(dave.events()[0]!.data.request.person).toBe('dave');
  expect(olga.types()).toEqual(['lock.created']);
  expect(grants.types()).toEqual(['grant.ends_soon']);
});

test('a token that was revoked, or has run out, hears nothing more, and its stream ends', async () => {
  const scene = await started();
  const random = scene.parts.randomSecret;
  const { token, secret } = await createToken(scene.needed, actorFor('bob'), {}, random);
  const revoked = reading(await scene.answerTo(secret, '/v1/events'));
  await revokeToken(scene.needed, actorFor('bob'), token.id);
  const { secret: short } = await createToken(scene.needed, actorFor('bob'), { duration: minutes(1) }, random);
  const expired = reading(await scene.answerTo(short, '/v1/events'));
  scene.clock.advance(minutes(1));
  await scene.ask('alice');
  await Promise.all([revoked.ended, expired.ended]);
  expect([revoked.types(), expired.types()]).toEqual([[], []]);
});

test('a stream of which nothing was told ends at the next sign of life all the same', async () => {
  const scene = await started({ heartbeatMs: 40 });
  const { secret } = await createToken(
    scene.needed,
    actorFor('bob'),
    { duration: minutes(1) },
    scene.parts.randomSecret,
  );
  const expired = reading(await scene.answerTo(secret, '/v1/events'));
  await expired.until(() => expired.text().includes(': still here'));
  scene.clock.advance(minutes(1));
  await expired.ended;
  expect([expired.response.complete, expired.types()]).toEqual([true, []]);
});

test('whoever loses a right hears nothing more that it gave', async () => {
  const scene = await started();
  const bob = await scene.listen('bob');
  await scene.ask('alice');
  await bob.until(() => bob.types().length === 1);
  const base = adminPolicies();
  const groups = new Map([...base.directory.groups, ['sre' as never, new Set(['carol' as never])] as const]);
  scene.load({ ...base, directory: { ...base.directory, groups } });
  await scene.ask('alice', { justification: 'second' });
  await scene.ask('bob', { justification: 'own' });
  await bob.until(() => bob.types().length === 2);
  expect(bob.events().map(({ data }) => data.request.person)).toEqual(['alice', 'bob']);
});

test('who comes back goes on where it left, without a gap and nothing twice', async () => {
  const scene = await started();
  const first = await scene.listen('bob');
  await scene.ask('alice', { justification: '1' });
  await first.until(() => first.types().length === 1);
  const last = first.events()[0]!.id!;
  first.close();
  await scene.ask('alice', { justification: '2' });
  scene.clock.advance(hours(1));
  scene.events.tick();
  const second = await scene.listen('bob', '/v1/events', { 'last-event-id': last });
  await second.until(() => second.types().length === 3);
  expect(second.types()).toEqual(['request.created', 'request.lapsed', 'request.lapsed']);
  const third = await scene.listen('bob', '/v1/events', { 'last-event-id': second.events()[2]!.id! });
  await scene.ask('alice', { justification: '3' });
  await third.until(() => third.types().length === 1);
  expect(third.events()[0]!.data.request.justification).toBe('3');
});

test('who has heard something that we do not know is told first to list again', async () => {
  const scene = await started();
  for (const last of ['x', '7', '99-99', `${'9'.repeat(20)}-1`]) {
    const bob = await scene.listen('bob', '/v1/events', { 'last-event-id': last });
    await bob.until(() => bob.types().length === 1);
    expect(bob.events()[0]).toMatchObject({ type: 'reset', data: { detail: expect.stringContaining('list again') } });
    expect(bob.events()[0]!.id).toBe(printPosition(scene.events.position));
    bob.close();
  }
});

test('a stream outlives every limit that there is on calls', async () => {
  const scene = await started({ headersMs: 100, requestMs: 150, keepAliveMs: 100, heartbeatMs: 60 });
  const bob = await scene.listen('bob');
  await sleep(1_300);
  await scene.ask('alice');
  await bob.until(() => bob.types().length === 1);
  expect(bob.text().match(/^: still here$/gm)!.length).toBeGreaterThan(5);
});

test('signs of life carry how far one has come, though nothing was for one', async () => {
  const scene = await started({ heartbeatMs: 50 });
  const dave = await scene.listen('dave');
  await scene.ask('alice');
  const position = printPosition(scene.events.position);
  await dave.until(() => dave.lastId() === position);
  expect(dave.types()).toEqual([]);
});

/** Changes of which bob hears, a hundred at once, each of some kilobytes. */
function flood({ store, clock }: Pick<ReturnType<typeof adminScene>, 'store' | 'clock'>) {
  return store.change(clock.read().wall, (change) => {
    const request = { ...change.requests({ limit: 1 }).items[0]!, justification: 'x'.repeat(4_000) };
    for (let i = 0; i < 100; i++) change.record({ kind: 'host' }, { action: 'request.withdrawn', request });
  });
}

test('who does not read costs no memory, and is told to list again when it reads on', async () => {
  const scene = adminScene();
  await scene.ask('alice');
  const stream = new EventStream({
    events: scene.events,
    heard: null,
    limits: { heartbeatMs: 60_000, streamMs: 60_000 },
    judge: () => () => true,
    textOf: () => `data: ${'x'.repeat(4_000)}\n\n`,
    resetText: () => 'event: reset\n\n',
    alarm: (cause) => scene.alarms.push(cause),
  });
  onTestFinished(() => void stream.destroy());
  stream.read();
  for (let i = 0; i < MAX_BEHIND / 100 + 2; i++) {
    await flood(scene);
    await setImmediate();
  }
  expect(stream.readableLength).toBeLessThan(32_000);
  let text = '';
  stream.on('data', (part: Buffer) => (text += part.toString()));
  await sleep(50);
  expect(text).toContain('event: reset');
  expect(text.length).toBeLessThan(64_000);
});

test('who does not read at all is closed after some signs of life', async () => {
  const scene = await started({ heartbeatMs: 200 });
  await scene.ask('alice');
  const slow = await scene.listen('bob');
  slow.response.pause();
  const connections = () => new Promise<number>((resolve) => scene.app.server.getConnections((_, n) => resolve(n)));
  const over = performance.now() + 15_000;
  // More than the buffers of both ends of the connection take.
  while ((await connections()) > 0 && performance.now() < over) {
    await flood(scene);
    await sleep(20);
  }
  expect(await connections()).toBe(0);
}, 20_000);

test('one listens so many times at most, and all together so many; whoever leaves makes room', async () => {
  const scene = await started({ streams: 3, streamsEach: 2 });
  const [first] = [await scene.listen('bob'), await scene.listen('bob')];
  const refused = async (who: string) => {
    const response = await scene.answerTo(await scene.secretOf(who), '/v1/events');
    const text = reading(response);
    await text.ended;
    return [response.statusCode, JSON.parse(text.text()).code, response.headers['retry-after']];
  };
  expect(await refused('bob')).toEqual([429, 'too_many_calls', '10']);
  await scene.listen('carol');
  expect(await refused('alice')).toEqual([503, 'overloaded', '10']);
  first.close();
  await first.ended;
  await sleep(50);
  await scene.listen('alice');
});

test('when the service ends its streams end at once, in order', async () => {
  const scene = await started();
  const bob = await scene.listen('bob');
  await scene.ask('alice');
  await bob.until(() => bob.types().length === 1);
  const begun = performance.now();
  await Promise.all([scene.app.close(), bob.ended]);
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect(bob.response.complete).toBe(true);
});

test('HEAD is answered and leaves nothing open', async () => {
  const scene = await started({ streams: 1 });
  const answer = await scene.call('bob', 'HEAD', '/v1/events');
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
  await scene.listen('bob');
});

test('the host hears everything over its socket', async () => {
  const scene = adminScene({ limits: { streamMs: 200 } });
  const socket = createAdmin({ ...scene.parts, door: { kind: 'socket' } });
  open.push(() => socket.close());
  const path = `/tmp/events-${process.pid}.sock`;
  await socket.listen({ path });
  const call = request({ socketPath: path, path: '/v1/events' });
  const [response] = (await once(call.end(), 'response')) as [IncomingMessage];
  const host = reading(response);
  await scene.ask('alice');
  await host.until(() => host.types().length === 1);
  await host.ended;
  expect(host.response.complete).toBe(true);
});
