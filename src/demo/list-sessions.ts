import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Scene } from './scene.js';

/** What the demo reads of a session. */
interface Listed {
  readonly grantId: string;
}

/** The sessions that carol sees. */
export function listSessions(
  { file, ports }: Scene,
  filter: Readonly<Record<'state' | 'resource', string>>,
): Promise<readonly Listed[]> {
  const options = {
    host: '127.0.0.1',
    port: ports.admin,
    path: `/v1/sessions?${new URLSearchParams(filter).toString()}`,
    ca: readFileSync(file('ca.crt')),
    cert: readFileSync(file('carol.crt')),
    key: readFileSync(file('carol.key')),
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve((JSON.parse(text) as { readonly items: readonly Listed[] }).items);
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
