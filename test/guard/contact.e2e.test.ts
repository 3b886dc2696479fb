import { afterEach, describe, expect, test } from 'vitest';
import { envoysForTests, until } from '../e2e/envoy.js';
import { stream1, tcp, webSocket, type Live } from './real/clients.js';
import { startScene, type Scene } from './real/scene.js';
import { allow } from './real/small-service.js';

const { envoys, missing } = await envoysForTests();

const GRACE_MS = 2_500;

describe.skipIf(missing !== '')(`the guard’s contact in a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene | undefined;
    const opened: Live[] = [];
    afterEach(async () => {
      for (const live of opened.splice(0)) live.close();
      await scene?.stop();
      scene = undefined;
    });

    /** An Envoy whose guards have all been welcomed. */
    async function start(contactGraceMs = 15_000): Promise<Scene> {
      scene = await startScene(binary, { isUp: false });
      scene.service.welcome = { ...scene.service.welcome, contactGraceMs };
      await scene.service.start();
      await until(() => scene!.service.open().length === 3, 'the guards');
      return scene;
    }

    /** A session of each kind. */
    async function openAll({ ports }: Scene): Promise<readonly Live[]> {
      const all = [stream1(ports.http, 'gr_1'), webSocket(ports.http, 'gr_2'), tcp(ports.gate), tcp(ports.tcp)];
      opened.push(...all);
      all[3]!.write('first\n');
      await until(() => all.every((live) => live.received() !== ''), 'the first bytes');
      return all;
    }

    const unended = (all: readonly Live[]) => all.filter((live) => live.endedAt() === undefined).length;
    const grants = ({ service }: Scene) =>
      service.open().flatMap(({ sessions }) => [...sessions.values()].map(({ grantId }) => grantId));
    const status = async ({ ports }: Scene) => (await fetch(`http://127.0.0.1:${ports.http}/x`)).status;

    test('is found when the service comes up after Envoy', async () => {
      const { service } = (scene = await startScene(binary, { isUp: false }));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await service.start();
      await until(() => service.open().length === 3, 'the guards', 3_000);
      expect(service.open().every(({ hello }) => hello.attempt >= 1)).toBe(true);
    });

    test('lost: access ends at its end all the same', async () => {
      const scene = await start();
      const ends = { at: 0 };
      scene.service.answer = () => {
        ends.at = performance.now() + 1_500;
        return allow('gr_a', 1_500);
      };
      const all = await openAll(scene);
      scene.service.kill();
      await until(() => unended(all) === 0, 'the end of all', 3_000);
      for (const live of all) expect(Math.abs(live.endedAt()! - ends.at)).toBeLessThan(300);
    });

    test('lost and found within the grace: nobody is cut, nobody is forgotten', async () => {
      const scene = await start(6_000);
      const all = await openAll(scene);
      await until(() => grants(scene).length >= 3, 'the sessions');
      scene.service.kill();
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect(unended(all)).toBe(4);
      await scene.service.start();
      await until(() => scene.service.open().length === 3, 'the guards', 2_500);
      expect(grants(scene).sort()).toEqual(['gr_1', 'gr_2', 'gr_a', 'gr_a']);
      await new Promise((resolve) => setTimeout(resolve, 6_500));
      expect(unended(all)).toBe(4);
      scene.service.sequence += 1;
      scene.service.send({ cut: { grants: ['gr_1', 'gr_2', 'gr_a'].map((grantId) => ({ grantId, remainingMs: 1 })) } });
      await until(() => unended(all) === 0, 'the end of all', 1_000);
    });

    test.each([
      ['killed', (scene: Scene) => scene.service.kill()],
      ['silent', (scene: Scene) => void (scene.service.speaks = false)],
    ])(
      'lost for good, the service being %s: all sessions are cut after the grace, and nobody gets in',
      async (_how, lose) => {
        const scene = await start(GRACE_MS);
        const all = await openAll(scene);
        const begin = performance.now();
        lose(scene);
        await new Promise((resolve) => setTimeout(resolve, GRACE_MS - 600));
        expect(unended(all)).toBe(4);
        await until(() => unended(all) === 0, 'the end of all', 2_500);
        for (const live of all) expect(live.endedAt()! - begin).toBeLessThan(GRACE_MS + 1_000);
        const late = stream1(scene.ports.http, 'gr_late');
        opened.push(late);
        await until(() => late.endedAt() !== undefined, 'the refusal');
        scene.service.kill();
        scene.service.speaks = true;
        await scene.service.start();
        await until(() => scene.service.open().length === 3, 'the guards', 3_000);
        await until(async () => (await status(scene)) === 200, 'a request that is let in');
      },
    );
  });
});
