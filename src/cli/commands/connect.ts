import type { Command } from 'commander';
import { about } from '../about.js';
import { createClient } from '../api/client.js';
import { durationText } from '../arguments.js';
import { assertUsesPort, type CommandWords } from '../connect/child.js';
import { connect, type Mode } from '../connect/connect.js';
import { parseListen } from '../connect/local-port.js';
import { openVia, type ViaFlags } from '../connect/way.js';
import type { Wish } from '../connect/access.js';
import { openConnection } from '../connection/connection.js';
import { addConnectionOptions, connectionFlags } from '../connection/options.js';
import { usageError } from '../failure.js';
import type { Shell } from '../shell.js';

interface Options extends ViaFlags, Wish {
  readonly listen?: string;
  readonly stdio?: true;
}

/** `connect`. */
export function describe(command: Command, shell: Shell): void {
  about(command, {
    description:
      'Connect to a resource through Envoy: as a local port, over standard input and output, or for one command. Where ' +
      'there is no access yet, it is asked for and waited for.',
    example: 'portcullis connect orders-db --via gate.corp.example -- psql -h {host} -p {port} orders',
    who: 'everybody whom a policy admits to the resource',
  });
  command
    .argument('<resource>', 'where to')
    .argument('[command...]', 'behind --: what to run; {host} and {port} stand for the local port')
    .option('--listen <address>', 'take connections there, such as 127.0.0.1:15432 (default: 127.0.0.1:0, any port)')
    .option('--stdio', 'carry standard input and output, as for ProxyCommand of ssh')
    .option(
      '--via <host[:port]>',
      'where Envoy is (default: PORTCULLIS_VIA, else what the service says of the resource)',
    )
    .option(
      '--via-name <name>',
      "the name in Envoy's certificate, and for SNI (default: the resource's, else the host)",
    )
    .option('--via-ca <file>', "CA of Envoy's certificate (default: that of the service's)")
    .option('--for <duration>', "how long, where access is asked for (default: the policy's)", durationText)
    .option('--reason <text>', 'what you need it for, where access is asked for')
    .option('--policy <name>', 'ask under this policy')
    .option('--timeout <duration>', 'wait no longer than this for an approval', durationText);
  addConnectionOptions(command);
  command.action(async (resource: string, words: readonly string[], options: Options) => {
    const mode = modeOf(options, words);
    const connection = await openConnection(connectionFlags(command), shell);
    const via = openVia(options, connection, shell);
    const client = createClient(connection, shell);
    try {
      await connect({ client, shell, resource, via, mode, wish: options });
    } finally {
      client.close();
    }
  });
}

/** A port and a command go together; standard input and output belong to one of them only. */
function modeOf({ listen, stdio }: Options, words: readonly string[]): Mode {
  if (stdio && (listen !== undefined || words.length > 0))
    throw usageError('--stdio goes with neither --listen nor a command', 'give one of them');
  if (stdio) return { kind: 'stdio' };
  const at = parseListen(listen ?? '127.0.0.1:0');
  if (!isCommand(words)) return { kind: 'listen', at };
  assertUsesPort(words, at.port !== 0);
  return { kind: 'command', at, words };
}

function isCommand(words: readonly string[]): words is CommandWords {
  return words.length > 0;
}
