import type { Player, Scene } from './scene.js';
import { quoted } from './shown.js';

/** The commands of the demo as a person pastes them, from any folder. */
export interface Commands {
  readonly curl: string;
  readonly request: (length: string) => string;
  readonly requestDatabase: (length: string) => string;
  readonly approve: string;
  /** With nothing but TLS; asks for nothing. */
  readonly openssl: string;
  /** Asks for access and waits where there is none. */
  readonly connect: string;
  readonly sessions: string;
  readonly revoke: (grant: string) => string;
}

/** `shown` is how the program is called here. */
export function commandsFor({ file, ports }: Scene, shown: string): Commands {
  const path = (name: string) => quoted(file(name));
  const as = (player: Player) => `--context ${path(`${player}.yaml`)}`;
  const pair = (dashes: string) => `${dashes}cert ${path('alice.crt')} ${dashes}key ${path('alice.key')}`;
  return {
    curl: `curl --cacert ${path('ca.crt')} ${pair('--')} https://localhost:${ports.http}/`,
    request: (length) => `${shown} request billing-api --for ${length} --reason "look at invoice 7" ${as('alice')}`,
    requestDatabase: (length) => `${shown} request orders-db --for ${length} --reason "count orders" ${as('alice')}`,
    approve: `${shown} approve ${as('bob')}`,
    openssl: `openssl s_client -quiet -connect localhost:${ports.database} -CAfile ${path('ca.crt')} ${pair('-')}`,
    connect: `${shown} connect orders-db --stdio --for 10m --reason "count orders" ${as('alice')}`,
    sessions: `${shown} sessions ${as('carol')}`,
    revoke: (grant) => `${shown} revoke ${grant} --reason "incident 7" ${as('carol')}`,
  };
}
