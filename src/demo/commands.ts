import type { Player, Scene } from './scene.js';

/** The commands of the tour as a person pastes them. */
export interface Commands {
  readonly curl: string;
  readonly request: (length: string) => string;
  readonly approve: string;
  readonly connect: string;
  readonly sessions: string;
  readonly revoke: (grant: string) => string;
}

/** `shown` is how the program is called here: `portcullis`, or `npm exec portcullis --` in a checkout. */
export function commandsFor({ file, ports }: Scene, shown: string): Commands {
  const as = (player: Player) => `--context ${file(`${player}.yaml`)}`;
  const alice = `--cacert ${file('ca.crt')} --cert ${file('alice.crt')} --key ${file('alice.key')}`;
  return {
    curl: `curl ${alice} https://localhost:${ports.http}/`,
    request: (length) => `${shown} request billing-api --for ${length} --reason "look at invoice 7" ${as('alice')}`,
    approve: `${shown} approve ${as('bob')}`,
    connect: `openssl s_client -quiet -connect localhost:${ports.database} -CAfile ${file('ca.crt')} -cert ${file('alice.crt')} -key ${file('alice.key')}`,
    sessions: `${shown} sessions ${as('carol')}`,
    revoke: (grant) => `${shown} revoke ${grant} --reason "incident 7" ${as('carol')}`,
  };
}
