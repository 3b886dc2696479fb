import type { ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { envoysForTests, until } from '../e2e/envoy.js';
import { openHttp2, stream2, tcp, webSocket, type Live } from './real/clients.js';
import { startScene, type Scene } from './real/scene.js';
import { allow, type Contact } from './real/small-service.js';
import { trappingGuardWasm } from './wasm.js';

const { envoys, missing } = await envoysForTests();

describe.skipIf(missing !== '')(`a guard that traps${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await startScene(binary, { wasm: trappingGuardWasm() });
      await until(() => scene.service.open().length === 3, 'the guards');
    });
    afterAll(() => scene?.stop());

    /** The grants of the sessions that a guard knows. */
    const grantsOf = ({ sessions }: Contact) => [...sessions.values()].map(({ grantId }) => grantId);

    test('lets no byte of its sessions through any more, leaves the other worker’s alone, and begins anew', async () => {
      const { ports, service } = scene;
      const http2 = openHttp2(ports.http);
      const live = new Map<string, Live>([['gr_h2', stream2(http2, 'gr_h2')]]);
      let grant = '';
      service.answer = ({ headers }) => allow(headers['x-grant'] ?? grant);
      for (let i = 0; i < 8; i++) live.set(`gr_ws${i}`, webSocket(ports.http, `gr_ws${i}`));
      for (let i = 0; i < 8; i++) {
        for (const port of [ports.gate, ports.tcp]) {
          grant = `gr_${port}_${i}`;
          const one = tcp(port);
          live.set(grant, one);
          one.write('first\n');
          await until(() => one.received().includes('first'), 'the echo');
        }
      }
      const told = () => service.open().flatMap(grantsOf);
      await until(() => told().length === live.size, 'all sessions');
      const trapping = service.open().find((contact) => grantsOf(contact).includes('gr_h2'))!;
      const lost = grantsOf(trapping);
      expect(lost.length).toBeGreaterThan(1);
      const others = told().filter((one) => !lost.includes(one));

      const begin = performance.now();
      await requestWithTrailers(http2);
      // Envoy ends a session of a VM that is gone as soon as something comes through; here at once, from the upstream.
      await until(() => live.get('gr_h2')!.endedAt() !== undefined, 'the end of the stream', 1_000);
      expect(live.get('gr_h2')!.endedAt()! - begin).toBeLessThan(250);
      for (const one of live.values()) one.write('after the trap\n');
      await until(() => lost.every((one) => live.get(one)!.endedAt() !== undefined), 'the end of its sessions', 1_000);
      for (const one of lost) expect(live.get(one)!.received()).not.toContain('after the trap');
      await until(
        () => others.every((one) => live.get(one)!.received().includes('after the trap')),
        'the echo of the others',
      );
      const beats = trapping.heartbeats.length;

      // FAIL_RELOAD: the next to come brings a new guard; before its back-off is over Envoy answers 503. Both workers have turns.
      const statuses: number[] = [];
      for (let i = 0; i < 60; i++) {
        const response = await fetch(`http://127.0.0.1:${ports.http}/x`, { headers: { connection: 'close' } });
        statuses.push(response.status);
        if (response.status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const refused = statuses.filter((status) => status === 503).length;
      expect(refused).toBe(await scene.envoy.stat('wasm.portcullis-guard.vm_reload_backoff'));
      expect(refused).toBeLessThan(10);
      expect(new Set(statuses.slice(20))).toEqual(new Set([200]));
      const guards = () => new Set(service.contacts.map(({ hello }) => hello.guardId));
      await until(() => guards().size === 4, 'a new guard', 3_000);
      // Its stream may stay open: it is the heartbeats that tell.
      expect(trapping.heartbeats.length).toBe(beats);
      for (const one of live.values()) one.close();
      http2.destroy();
    });
  });
});

/** A request that the guard of the test does not survive. */
function requestWithTrailers(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request(
      { ':method': 'POST', ':path': '/x', 'x-grant': 'gr_trap' },
      { waitForTrailers: true, endStream: false },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': 'words' }));
    stream.on('error', () => undefined).on('close', () => resolve());
    stream.resume().end('body');
  });
}
