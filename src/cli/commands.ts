import type { Command } from 'commander';
import type { Shell } from './shell.js';

/** What a command module exports: it describes its command, and says what happens when it is called. */
interface CommandModule {
  readonly describe: (command: Command, shell: Shell, tree: Tree) => void;
}

/** All commands, for those that are about commands. */
export interface Tree {
  readonly program: Command;
  /** Describes every command: normally only the one that is called is loaded. */
  fill(): Promise<void>;
}

/** A command, or a noun with commands below it. */
export interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly below: (() => Promise<CommandModule>) | readonly Entry[];
}

/** A group of commands, as the help lists them. */
export interface Group {
  readonly heading: string;
  readonly entries: readonly Entry[];
}

/** Every command. Its module is loaded when it is called, so that none waits for the others. */
export const GROUPS: readonly Group[] = [
  {
    heading: 'Access:',
    entries: [
      entry('request', 'ask for access', () => import('./commands/request.js')),
      entry('requests', 'list requests', () => import('./commands/requests.js')),
      entry('approve', 'approve a request', () => import('./commands/approve.js')),
      entry('deny', 'deny a request', () => import('./commands/deny.js')),
      entry('withdraw', 'take a request back', () => import('./commands/withdraw.js')),
      entry('drafts', 'list what refused connections have left to ask for', () => import('./commands/drafts.js')),
      entry('dismiss', 'throw a draft away', () => import('./commands/dismiss.js')),
      entry('connect', 'connect to a resource through Envoy', () => import('./commands/connect.js')),
      entry('grants', 'list grants', () => import('./commands/grants.js')),
      entry('return', 'end a grant of your own', () => import('./commands/return.js')),
      entry('revoke', "end somebody's grant", () => import('./commands/revoke.js')),
      entry('sessions', 'list what is connected', () => import('./commands/sessions.js')),
      entry('cut', 'cut a session', () => import('./commands/cut.js')),
    ],
  },
  {
    heading: 'Looking into it:',
    entries: [
      entry('whoami', 'show who the service takes you for', () => import('./commands/whoami.js')),
      entry('explain', 'explain what would be decided, or what was', () => import('./commands/explain.js')),
      entry('decisions', 'list decisions', () => import('./commands/decisions.js')),
    ],
  },
  {
    heading: 'Operating:',
    entries: [
      entry('lock', 'deny a subject, a person or a resource everything', () => import('./commands/lock.js')),
      entry('locks', 'list locks', () => import('./commands/locks.js')),
      entry('unlock', 'take a lock away', () => import('./commands/unlock.js')),
      entry('token', 'make and revoke bearer tokens', [
        entry('create', 'make a token', () => import('./commands/token-create.js')),
        entry('revoke', 'end a token', () => import('./commands/token-revoke.js')),
      ]),
      entry('tokens', 'list tokens', () => import('./commands/tokens.js')),
    ],
  },
  {
    heading: 'Service:',
    entries: [
      entry('init', 'write a first configuration', () => import('./commands/init.js')),
      entry('serve', 'run the service', () => import('./commands/serve.js')),
      entry('demo', 'show everything at work on this machine', () => import('./commands/demo.js')),
      entry('config', 'check and print the configuration', [
        entry('check', 'check the configuration', () => import('./commands/config-check.js')),
        entry('print', 'print the configuration in force', () => import('./commands/config-print.js')),
      ]),
      entry('policy', 'check the policy folder', [
        entry('check', 'check the policy folder', () => import('./commands/policy-check.js')),
      ]),
      entry('envoy', "write Envoy's configuration", [
        entry('config', "write Envoy's configuration", () => import('./commands/envoy-config.js')),
      ]),
    ],
  },
  {
    heading: 'Program:',
    entries: [
      entry('completion', 'print a completion script for your shell', () => import('./commands/completion.js')),
      entry('version', 'print the version', () => import('./commands/version.js')),
    ],
  },
];

function entry(name: string, summary: string, below: Entry['below']): Entry {
  return { name, summary, below };
}
