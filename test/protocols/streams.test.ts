import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { envoysForTests, until } from '../e2e/envoy.js';
import { printFigure, STREAM_CUTS } from './cuts.js';
import { openStage, type Stage } from './stage.js';
import { STREAMS } from './streams.js';
import type { StreamingUpstream } from './upstreams/upstream.js';

const { envoys, missing } = await envoysForTests();

describe.skipIf(missing !== '')(`streams through a real Envoy${missing && ` (${missing})`}`, () => {
  let stage: Stage;
  let upstreams: StreamingUpstream[] = [];

  beforeAll(async () => {
    upstreams = await Promise.all(STREAMS.map(({ start }) => start()));
    const behind = STREAMS.map(({ resource }, i) => ({
      name: resource,
      kind: 'http' as const,
      upstream: upstreams[i]!.port,
    }));
    stage = await openStage(envoys.at(-1)!, behind);
  });
  afterAll(async () => {
    await stage?.stop();
    for (const upstream of upstreams) await upstream.close();
  });

  describe.each(STREAMS.map((kind, i) => ({ ...kind, i })))('$name', ({ resource, open, refused, i }) => {
    const peer = (who: string) => ({
      port: stage.portOf(resource),
      ca: stage.ca.pem,
      credential: stage.certificateOf(who),
    });
    const begin = (who: string) => open(peer(who), `${resource}.internal`);
    let before = 0;
    let grantId: string;

    beforeAll(async () => {
      grantId = await stage.grant(resource);
    });
    beforeEach(() => {
      before = upstreams[i]!.arrived();
    });
    const arrived = () => upstreams[i]!.arrived() - before;

    test('goes on and on for whoever is allowed, until the client ends it', async () => {
      const stream = begin('alice');
      await until(() => stream.ticks() > 5, 'ticks');
      expect([arrived(), upstreams[i]!.open()]).toEqual([1, 1]);
      stream.close();
      await stream.ended;
      await until(() => upstreams[i]!.open() === 0, 'the end upstream');
    });

    test('is refused with the reason without a grant, and nothing arrives', async () => {
      const stream = begin('mallory');
      expect(await stream.ended).toMatch(refused('no_grant'));
      expect([stream.ticks(), arrived()]).toEqual([0, 0]);
    });

    test('is refused with the reason after a revoke, and nothing arrives', async () => {
      await stage.revoke(grantId, 'incident 12');
      const stream = begin('alice');
      expect(await stream.ended).toMatch(refused('revoked'));
      expect([stream.ticks(), arrived()]).toEqual([0, 0]);
    });

    test.for(STREAM_CUTS)('$name', async ({ run }) => {
      const kind = STREAMS[i]!;
      const figure = await run({ stage, kind, upstream: upstreams[i]! });
      printFigure(kind.name, figure);
      expect(figure.milliseconds).toBeLessThan(figure.within);
    });
  });
});
