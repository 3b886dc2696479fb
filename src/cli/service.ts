import type { Command } from 'commander';
import { createClient, type Client } from './api/client.js';
import { openConnection, type ConnectionFlags } from './connection/connection.js';
import { connectionFlags } from './connection/options.js';
import type { Shell } from './shell.js';

/** Does something with the API of the service that the command line names. */
export async function withService(
  command: Command,
  shell: Shell,
  work: (client: Client) => Promise<void>,
  own: { readonly except?: keyof ConnectionFlags } = {},
): Promise<void> {
  const client = createClient(await openConnection(connectionFlags(command, own), shell), shell);
  try {
    await work(client);
  } finally {
    client.close();
  }
}
