import { expect } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { until } from '../e2e/envoy.js';
import type { Running } from './process.js';
import { RESOURCE, type Scene } from './scene.js';
import type { Stage } from './stage.js';
import type { StreamKind } from './streams.js';
import type { StreamingUpstream } from './upstreams/upstream.js';

// What ends with its access: `CUTS` in protocols.test.ts, each row with the scene of its protocol, and `STREAM_CUTS` in
// streams.test.ts.

/** How soon a cut took effect upstream, for the report. */
export interface Figure {
  readonly what: string;
  /** From the moment when access ended to the close of the upstream's connection. */
  readonly milliseconds: number;
  /** What a single one is held to. */
  readonly within: number;
}

/** Into the report of the tests. */
export function printFigure(protocol: string, { what, milliseconds }: Figure): void {
  console.log(`${protocol}: ${what}: the upstream was closed after ${milliseconds.toFixed(1)} ms`);
}

interface Row<S> {
  readonly name: string;
  readonly run: (scene: S) => Promise<Figure>;
}

/**
 * Bounds for a single run on a machine that does other things besides. What is promised is about many runs: 50 ms at the 99th
 * percentile after a revoke, 150 ms after the end of the time.
 */
const REVOKE_MS = 1_000;
const EXPIRY_MS = 1_000;

/** For a real client in the middle of a query or a transfer, through `connect`. */
export const CUTS: readonly Row<Scene>[] = [
  { name: 'is cut on revoke in the middle of its work, and connect says why', run: cutOnRevoke },
  { name: 'is cut when its access expires, and connect says why', run: cutAtExpiry },
  { name: 'is cut on revoke when it has stopped reading', run: cutWhileStalled },
];

async function cutOnRevoke(scene: Scene): Promise<Figure> {
  const grantId = await scene.grant(RESOURCE);
  const working = await atWork(scene);
  const revokedAt = await revokedOver(scene, grantId, 'incident 13');
  const figure = await upstreamClosed(scene, revokedAt, 'revoke', REVOKE_MS);
  await expectCut(working.ended, 'revoked', /by carol: "incident 13"/);
  await expectNoWayBack(scene);
  return figure;
}

async function cutAtExpiry(scene: Scene): Promise<Figure> {
  const length = 6_000;
  await scene.grant(RESOURCE, `${length / 1_000}s`);
  // Not before this: the grant was born a little earlier.
  const grants = await scene.service.api('alice', 'GET', '/v1/grants?mine=true&state=active');
  const [{ expiresAt }] = grants.body['items'] as [{ expiresAt: string }];
  const endsAt = Date.parse(expiresAt) - performance.timeOrigin;
  const working = await atWork(scene);
  const figure = await upstreamClosed(scene, endsAt, 'expiry', EXPIRY_MS);
  expect(figure.milliseconds).toBeGreaterThan(-EXPIRY_MS);
  await expectCut(working.ended, 'expired', /it ended/);
  await expectNoWayBack(scene);
  return figure;
}

/** Revokes; gives the instant that the grant itself names as its end, on the monotonic clock. It was not yet durable then. */
async function revokedOver({ revoke }: Pick<Stage, 'revoke'>, grantId: string, why: string): Promise<number> {
  const { end } = (await revoke(grantId, why)) as unknown as { readonly end: { readonly at: string } };
  return Date.parse(end.at) - performance.timeOrigin;
}

/** The client is stopped as a terminal stops it: its sockets stay open and nobody reads them. */
async function cutWhileStalled(scene: Scene): Promise<Figure> {
  const grantId = await scene.grant(RESOURCE);
  const { connect, address } = await scene.listening();
  const client = scene.client(scene.spoken.long, address);
  await begun(scene, client);
  client.child.kill('SIGSTOP');
  try {
    await resting(() => scene.relay.sent());
    const revokedAt = await revokedOver(scene, grantId, 'incident 14');
    return await upstreamClosed(scene, revokedAt, 'revoke, the client not reading', REVOKE_MS);
  } finally {
    client.child.kill('SIGKILL');
    connect.child.kill('SIGTERM');
    await Promise.all([client.ended, connect.ended]);
  }
}

async function atWork(scene: Scene) {
  const working = scene.portcullis('connect', RESOURCE, '--', ...scene.spoken.long);
  await begun(scene, working);
  return working;
}

async function begun({ spoken, relay }: Scene, client: Running) {
  if (spoken.begins) await client.printed(spoken.begins);
  await until(() => relay.open() === 1, 'the session', 20_000);
}

async function upstreamClosed({ relay }: Scene, since: number, what: string, within: number): Promise<Figure> {
  await until(() => relay.open() === 0, `the cut after ${what}`, 15_000);
  const milliseconds = relay.lastClosedAt() - since;
  return { what, milliseconds, within };
}

async function expectCut(
  ended: Promise<{ readonly code: number | null; readonly err: string }>,
  reason: string,
  more: RegExp,
): Promise<void> {
  const { code, err } = await ended;
  expect(code).not.toBe(0);
  const lines = err.split('\n').filter((line) => line.startsWith('error: '));
  expect(lines.join('\n')).toMatch(
    new RegExp(`^error: the session to ${RESOURCE} was cut: ${reason}: .*${more.source}`, 'm'),
  );
}

async function expectNoWayBack(scene: Scene): Promise<void> {
  const before = scene.relay.accepts();
  const lock = { target: { kind: 'person', person: 'alice' }, reason: 'so that nothing is asked for' };
  const { body } = await scene.service.api('carol', 'POST', '/v1/locks', lock);
  const { code } = await scene.portcullis('connect', RESOURCE, '--', ...scene.spoken.short).ended;
  await scene.service.api('carol', 'DELETE', `/v1/locks/${String(body['id'])}`);
  expect([code, scene.relay.accepts()]).toEqual([EXIT.notPermitted, before]);
}

async function resting(number: () => number): Promise<void> {
  let last = -1;
  while (last !== number()) {
    last = number();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** One kind of stream through the HTTP listener, and its upstream. */
export interface StreamScene {
  readonly stage: Stage;
  readonly kind: StreamKind;
  readonly upstream: StreamingUpstream;
}

/** For HTTP streams. */
export const STREAM_CUTS: readonly Row<StreamScene>[] = [
  {
    name: 'is cut on revoke in the middle',
    async run(scene) {
      const grantId = await scene.stage.grant(scene.kind.resource);
      const stream = await ticking(scene);
      const revokedAt = await revokedOver(scene.stage, grantId, 'incident 15');
      return streamClosed(scene, stream, revokedAt, ['revoke', REVOKE_MS]);
    },
  },
  {
    name: 'is cut when its access expires',
    async run(scene) {
      await scene.stage.grant(scene.kind.resource, '3s');
      const grants = await scene.stage.service.api('alice', 'GET', '/v1/grants?mine=true&state=active');
      const [{ expiresAt }] = grants.body['items'] as [{ expiresAt: string }];
      const endsAt = Date.parse(expiresAt) - performance.timeOrigin;
      return streamClosed(scene, await ticking(scene), endsAt, ['expiry', EXPIRY_MS]);
    },
  },
];

async function ticking({ stage, kind }: StreamScene) {
  const credential = stage.certificateOf('alice');
  const stream = kind.open(
    { port: stage.portOf(kind.resource), ca: stage.ca.pem, credential },
    `${kind.resource}.internal`,
  );
  await until(() => stream.ticks() > 5, 'ticks');
  return stream;
}

async function streamClosed(
  { upstream }: StreamScene,
  stream: Awaited<ReturnType<typeof ticking>>,
  since: number,
  [what, within]: readonly [string, number],
): Promise<Figure> {
  await until(() => upstream.open() === 0, 'the cut', 10_000);
  const milliseconds = upstream.lastClosedAt() - since;
  await stream.ended;
  const ticks = stream.ticks();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(stream.ticks()).toBe(ticks);
  return { what, milliseconds, within };
}
