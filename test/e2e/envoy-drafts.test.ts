import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCommand } from '../cli/program.js';
import { openStage, type Stage } from '../protocols/stage.js';
import { openTcp } from './clients.js';
import { envoysForTests } from './envoy.js';
import { httpUpstream, tcpUpstream, type HttpUpstream, type TcpUpstream } from './envoy-upstreams.js';

const { envoys, missing } = await envoysForTests();

/** What a person types on the page, block by block. */
const [refused, submitted, listed] = [
  ...readFileSync('docs/drafts.md', 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm),
].map((match) => match[1]!);

describe.skipIf(missing !== '')(`drafts through a real Envoy${missing && ` (${missing})`}`, () => {
  describe.each(envoys)('Envoy $version', (binary) => {
    let stage: Stage;
    let web: HttpUpstream;
    let db: TcpUpstream;

    beforeAll(async () => {
      [web, db] = [await httpUpstream(), await tcpUpstream()];
      stage = await openStage(
        binary,
        [
          { name: 'billing-api', kind: 'http', upstream: web.port },
          { name: 'orders-db', kind: 'tcp', upstream: db.port },
        ],
        { onDeny: 'draft' },
      );
    });
    afterAll(async () => {
      await stage?.stop();
      await Promise.all([web?.close(), db?.close()]);
    });

    /** At alice's desk, with the certificates that the service has written there. */
    const type = (script: string) => {
      const env = { ...stage.env, ENVOY: `https://localhost:${stage.portOf('billing-api')}` };
      return startCommand('bash', ['-c', `set -euo pipefail\n${script}`], { cwd: stage.folder, env });
    };
    const typed = async (script: string): Promise<string> => {
      const { code, out, err } = await type(script).ended;
      expect({ code, err }).toMatchObject({ code: 0 });
      return out;
    };
    const waiting = async () => (await stage.requests()).find(({ state }) => state === 'pending')!.id;

    test('the page: curl is told of its draft, the command makes the request, and then it passes', async () => {
      const body = await typed(refused!);
      const [, id] = /^draft: (dft_\w{26})$/m.exec(body)!;
      expect(body).toContain(`ask for access: portcullis request --draft ${id} --reason "..."\n`);
      expect(JSON.parse(await typed(`portcullis drafts ${id} -o json`))).toMatchObject({
        resource: 'billing-api',
        reason: 'no_grant',
        request: 'GET /invoices/7',
        count: 1,
      });
      const asking = type(submitted!);
      await asking.printed(/ waits for bob/);
      await stage.approve(await waiting());
      expect(await asking.ended).toMatchObject({ code: 0 });
      expect(await typed(refused!)).not.toContain('access denied');
      expect(web.arrived).toHaveLength(1);
      expect(await typed('portcullis drafts --mine --resource billing-api -o json')).toBe('[]\n');
    });

    test('a connection behind the gate is just closed, and the list has its draft', async () => {
      const credential = stage.certificateOf('alice');
      const connection = openTcp({ port: stage.portOf('orders-db'), ca: stage.ca.pem, credential });
      await connection.closed;
      const lines = (await typed(listed!)).split('\n');
      expect(lines[0]).toMatch(/^DRAFT +LAST +TIMES +BECAUSE +RESOURCE/);
      const [draft] = JSON.parse(await typed('portcullis drafts --resource orders-db -o json')) as { id: string }[];
      expect(draft).toMatchObject({ resource: 'orders-db', action: 'access', request: null, reason: 'no_grant' });
      const explained = await typed('portcullis explain --subject corp/spiffe://corp/alice --resource orders-db');
      expect(explained).toContain(`portcullis request --draft ${draft!.id} --reason "..."`);
      // Word by word what the explanation says.
      await typed(`portcullis request --draft ${draft!.id} --reason "..."`);
      await stage.approve(await waiting());
      const other = openTcp({ port: stage.portOf('orders-db'), ca: stage.ca.pem, credential });
      other.socket.write('hello');
      await expect.poll(() => other.received()).toContain('hello');
      other.socket.destroy();
      expect(db.accepts()).toBe(1);
    });
  });
});
