import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { openTcp } from '../e2e/clients.js';
import { envoysForTests, until } from '../e2e/envoy.js';
import { CUTS, printFigure } from './cuts.js';
import { PROTOCOLS } from './protocols.js';
import { openScene, RESOURCE, type Scene } from './scene.js';

const { envoys, missing: noEnvoy } = await envoysForTests();

/** In these the client speaks first. */
const CLIENT_FIRST = PROTOCOLS.filter(({ name }) => name === 'PostgreSQL' || name === 'Redis');

/** Not of a client that has stopped reading: its upstream stays connected until it reads on (docs/envoy.md). */
const READING = CUTS.filter(({ name }) => !name.includes('stopped reading'));

describe.each(CLIENT_FIRST)('$name', (protocol) => {
  const missing = noEnvoy || protocol.missing;

  describe.skipIf(missing !== '')(`through connect and the network filter${missing && ` (${missing})`}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await openScene(envoys.at(-1)!, protocol, { gate: false });
    });
    afterAll(() => scene?.stop());
    let before = 0;
    beforeEach(async () => {
      await until(() => scene.relay.open() === 0, 'the end of the sessions before');
      before = scene.relay.accepts();
    });
    const dialled = () => scene.relay.accepts() - before;

    test('its own client works through it', async () => {
      await scene.grant(RESOURCE);
      const { code, out } = await scene.portcullis('connect', RESOURCE, '--', ...scene.spoken.short).ended;
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(scene.spoken.prints) as string });
      expect(dialled()).toBe(1);
    });

    test('whoever has no grant gets the alert, and the server is not dialled', async () => {
      const credential = scene.certificateOf('mallory');
      const connection = openTcp({ port: scene.portOf(RESOURCE), ca: scene.ca.pem, credential });
      connection.socket.write('hello');
      expect(await connection.closed).toBe('ERR_SSL_TLSV1_ALERT_ACCESS_DENIED');
      expect([connection.received(), dialled()]).toEqual(['', 0]);
    });

    test('after a revoke nobody gets in again, connect says why, and the server is not dialled', async () => {
      const grants = await scene.service.api('alice', 'GET', '/v1/grants?mine=true&state=active');
      const [{ id }] = grants.body['items'] as [{ id: string }];
      const { connect, address } = await scene.listening();
      await scene.revoke(id, 'incident 16');
      const client = await scene.client(scene.spoken.short, address).ended;
      expect(client.out).not.toMatch(scene.spoken.prints);
      const { code, err } = await connect.ended;
      expect(code).toBe(EXIT.notPermitted);
      expect(err).toMatch(/^error: the session to box was refused: revoked: .*"incident 16"$/m);
      expect(dialled()).toBe(0);
    });

    test.for(READING)('$name', async ({ run }) => {
      const figure = await run(scene);
      printFigure(`${protocol.name}, network filter`, figure);
      expect(scene.relay.open()).toBe(0);
    });
  });
});
