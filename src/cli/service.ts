import type { Command } from 'commander';
import { createClient, type Client } from './api/client.js';
import { openConnection, type Connection, type ConnectionFlags } from './connection/connection.js';
import { connectionFlags } from './connection/options.js';
import type { Shell } from './shell.js';

/** Does something with the API of the service that the command line names. */
export async function withService(
  command: Command,
  shell: Shell,
  work: (client: Client, connection: Connection) => Promise<void>,
  own: { readonly except?: keyof ConnectionFlags } = {},
): Promise<void> {
  const connection = await openConnection(connectionFlags(command, own), shell);
  const client = createClient(connection, shell);
  try {
    await work(client, connection);
  } finally {
    client.close();
  }
}
