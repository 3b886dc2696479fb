import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { envoysForTests, until } from '../e2e/envoy.js';
import type { Bootstrap } from './real/bootstrap.js';
import { tcp } from './real/clients.js';
import { startScene, type Scene } from './real/scene.js';

const { envoys, missing } = await envoysForTests();

/** Writes listeners to where Envoy watches for them. */
function writeListeners(folder: string, version: number, listeners: readonly { readonly name: string }[]): void {
  const resources = listeners.map((listener) => ({
    '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
    ...listener,
  }));
  writeFileSync(join(folder, 'next.json'), JSON.stringify({ version_info: String(version), resources }));
  renameSync(join(folder, 'next.json'), join(folder, 'lds.json'));
}

describe.skipIf(missing !== '')(`listeners that come and go${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let scene: Scene | undefined;
    afterEach(() => scene?.stop());

    test('the listener with whose plugin the contact began is taken away: another plugin carries on, with all sessions', async () => {
      let listeners: Bootstrap['static_resources']['listeners'] = [];
      scene = await startScene(binary, {
        adapt: (bootstrap, folder) => {
          const { clusters } = bootstrap.static_resources;
          // A plugin of its own for the first listener.
          listeners = bootstrap.static_resources.listeners.map((one) =>
            one.name === 'http'
              ? JSON.parse(JSON.stringify(one).replaceAll('"root_id":"portcullis-guard"', '"root_id":"first"'))
              : one,
          );
          writeListeners(folder, 1, listeners);
          const lds_config = { path_config_source: { path: join(folder, 'lds.json') }, resource_api_version: 'V3' };
          return { ...bootstrap, static_resources: { clusters }, dynamic_resources: { lds_config } };
        },
      });
      const { service, ports, folder } = scene;
      await until(() => service.open().length === 3, 'the guards');
      const before = service.open();
      const live = tcp(ports.gate);
      await until(() => live.received() !== '', 'the banner');
      const [guard, session] = await service.session();

      writeListeners(
        folder,
        2,
        listeners.filter(({ name }) => name !== 'http'),
      );
      const guards = () => service.open().filter((one) => !before.includes(one));
      await until(() => guards().length === 3, 'a contact of the other plugin', 10_000);
      const after = guards().find(({ hello }) => hello.guardId === guard.hello.guardId)!;
      expect(after.hello.attempt).toBe(guard.hello.attempt + 1);
      expect([...after.sessions.keys()]).toEqual([session.session]);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(after.heartbeats.length).toBeGreaterThan(2);
      expect(live.endedAt()).toBeUndefined();
      after.send({ cut: { sessions: [session.session] } });
      await until(() => live.endedAt() !== undefined, 'the end', 1_000);
    });
  });
});
