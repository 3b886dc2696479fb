import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { openTcp } from '../e2e/clients.js';
import { envoysForTests, until } from '../e2e/envoy.js';
import { CUTS, printFigure } from './cuts.js';
import { PROTOCOLS } from './protocols.js';
import { openScene, RESOURCE, type Scene } from './scene.js';

const { envoys, missing: noEnvoy } = await envoysForTests();

describe.each(PROTOCOLS)('$name', (protocol) => {
  const missing = noEnvoy || protocol.missing;

  describe.skipIf(missing !== '')(`through connect and a real Envoy${missing && ` (${missing})`}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await openScene(envoys.at(-1)!, protocol);
    });
    afterAll(() => scene?.stop());

    let before = 0;
    beforeEach(async () => {
      await until(() => scene.relay.open() === 0, 'the end of the sessions before');
      before = scene.relay.accepts();
    });
    const dialled = () => scene.relay.accepts() - before;

    test('its own client works through it, and ends with its own exit code', async () => {
      await scene.grant(RESOURCE);
      const { code, out, err } = await scene.portcullis('connect', RESOURCE, '--', ...scene.spoken.short).ended;
      expect({ code, out, err }).toMatchObject({ code: 0, out: expect.stringMatching(scene.spoken.prints) as string });
      expect(err).toMatch(/^access to box ends in \S+ \(\S+\)$/m);
      expect(dialled()).toBe(1);
    });

    test('while a lock is in force connect says so, and the server is not dialled', async () => {
      const lock = { target: { kind: 'person', person: 'alice' }, reason: 'x', message: 'call the duty desk' };
      const made = await scene.service.api('carol', 'POST', '/v1/locks', lock);
      expect(made.status).toBe(201);
      const { code, out, err } = await scene.portcullis('connect', RESOURCE, '--', ...scene.spoken.short).ended;
      await scene.service.api('carol', 'DELETE', `/v1/locks/${String(made.body['id'])}`);
      expect({ code, out }).toEqual({ code: EXIT.notPermitted, out: '' });
      expect(err).toMatch(/^error: no access to box: locked: a lock is in force; call the duty desk$/m);
      expect(dialled()).toBe(0);
    });

    test('whoever has no grant gets nothing from Envoy either, and the server is not dialled', async () => {
      const credential = scene.certificateOf('mallory');
      const connection = openTcp({ port: scene.portOf(RESOURCE), ca: scene.ca.pem, credential });
      connection.socket.write('hello');
      await connection.closed;
      expect([connection.received(), dialled()]).toEqual(['', 0]);
    });

    test('after a revoke nobody gets in again, connect says why, and the server is not dialled', async () => {
      const grants = await scene.service.api('alice', 'GET', '/v1/grants?mine=true&state=active');
      const [{ id }] = grants.body['items'] as [{ id: string }];
      const { connect, address } = await scene.listening();
      const first = await scene.client(scene.spoken.short, address).ended;
      expect({ code: first.code, dialled: dialled() }).toEqual({ code: 0, dialled: 1 });

      await scene.revoke(id, 'incident 12');
      const second = await scene.client(scene.spoken.short, address).ended;
      expect(second.code).not.toBe(0);
      expect(second.out).not.toMatch(scene.spoken.prints);
      const { code, err } = await connect.ended;
      expect(code).toBe(EXIT.notPermitted);
      expect(err).toMatch(
        /^error: the session to box was refused: revoked: the grant was revoked; .*; \S+(?: ago)? by carol: "incident 12"$/m,
      );
      expect(dialled()).toBe(1);
    });

    test.for(CUTS)('$name', async ({ run }) => {
      const figure = await run(scene);
      printFigure(protocol.name, figure);
      expect(figure.milliseconds).toBeLessThan(figure.within);
    });
  });
});
