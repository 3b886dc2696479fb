import { Option, type Command } from 'commander';
import type { ConnectionFlags } from './connection.js';

const OPTIONS = {
  url: ['--url <url>', 'address of the service (default: https://127.0.0.1:8180)'],
  cert: ['--cert <file>', 'your client certificate (PEM)'],
  key: ['--key <file>', 'its private key (PEM)'],
  ca: ['--ca <file>', "CA of the service's certificate (default: the system's)"],
  tokenFile: ['--token-file <file>', 'file with a bearer token'],
  adminSocket: ['--admin-socket <path>', 'admin socket of a service on this host'],
  context: ['--context <name|file>', 'settings from a context: its name, or a path to its file'],
} as const satisfies Record<keyof ConnectionFlags, readonly [string, string]>;

type Name = keyof typeof OPTIONS;

interface Adding {
  /** A command that has an option of that name for something else leaves it out: it can still stand before the command. */
  readonly except?: Name;
  readonly hidden?: boolean;
}

/** Adds the options that say how to reach the service. */
export function addConnectionOptions(command: Command, { except, hidden = false }: Adding = {}): void {
  for (const name of Object.keys(OPTIONS) as Name[]) {
    if (name === except) continue;
    const [flags, description] = OPTIONS[name];
    command.addOption(new Option(flags, description).helpGroup('Connection:').hideHelp(hidden));
  }
}

/** What was given before and after the command; what stands nearer to its end wins. */
export function connectionFlags(command: Command, { except }: Pick<Adding, 'except'> = {}): ConnectionFlags {
  const flags: Partial<Record<Name, string>> = {};
  for (let at: Command | null = command; at; at = at.parent) {
    const given = at.opts<ConnectionFlags>();
    for (const name of Object.keys(OPTIONS) as Name[]) {
      const reserved = at === command && name === except;
      if (!reserved && given[name] !== undefined) flags[name] ??= given[name];
    }
  }
  return flags;
}
