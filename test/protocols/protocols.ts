import { programsForTests } from './programs.js';
import { startMariadb } from './servers/mariadb.js';
import { startOpenssh } from './servers/openssh.js';
import { startPostgres } from './servers/postgres.js';
import { startRedis } from './servers/redis.js';
import type { RealServer } from './servers/server.js';

/** How a client is called for one protocol, as words of a shell's command line without a shell. */
export type Client = readonly [string, ...string[]];

/** A server that runs, and what its own client does with it. `{host}` and `{port}` are where the client finds it. */
export interface Spoken {
  readonly server: RealServer;
  /** Does something short. */
  readonly short: Client;
  /** What that prints. */
  readonly prints: RegExp;
  /** Goes on until it is cut: a query, or a transfer. */
  readonly long: Client;
  /** What the long one prints as soon as the server is at work; null: nothing before its end. */
  readonly begins: RegExp | null;
}

/** One protocol with a real server and its real client. */
export interface Protocol {
  readonly name: string;
  /** Why it cannot be tested here; empty when it can. */
  readonly missing: string;
  start(): Promise<Spoken>;
}

/** From Debian's packages: `install.sh`. */
export const PROTOCOLS: readonly Protocol[] = [postgres(), mariadb(), redis(), openssh()];

function postgres(): Protocol {
  const { programs, missing } = programsForTests('postgres', 'initdb', 'psql');
  const psql = ['psql', '-X', '-h', '{host}', '-p', '{port}', '-U', 'test', '-d', 'postgres', '-At'] as const;
  return {
    name: 'PostgreSQL',
    missing,
    start: async () => ({
      server: await startPostgres(programs),
      short: [...psql, '-c', 'select 6 * 7'],
      prints: /^42$/m,
      // Rows as they are made, without an end that a test could wait for.
      long: [...psql, '-c', "copy (select generate_series(1, 100000000), repeat('x', 1000)) to stdout"],
      begins: /^1\tx/m,
    }),
  };
}

/** The server speaks first. */
function mariadb(): Protocol {
  const { programs, missing } = programsForTests('mariadbd', 'mariadb-install-db', 'mariadb');
  const options = ['--no-defaults', '-h', '{host}', '-P', '{port}', '--protocol=tcp', '-u', 'test', '-psecret'];
  const mariadb = ['mariadb', ...options, '--batch', '--skip-column-names', '--unbuffered', '--quick'] as const;
  return {
    name: 'MariaDB',
    missing,
    start: async () => ({
      server: await startMariadb(programs),
      short: [...mariadb, '-e', 'select 6 * 7'],
      prints: /^42$/m,
      long: [...mariadb, '-e', 'select 1; select sleep(1000)'],
      begins: /^1$/m,
    }),
  };
}

function redis(): Protocol {
  const { programs, missing } = programsForTests('redis-server', 'redis-cli');
  const cli = ['redis-cli', '-h', '{host}', '-p', '{port}'] as const;
  return {
    name: 'Redis',
    missing,
    start: async () => ({
      server: await startRedis(programs),
      short: [...cli, 'INCRBY', 'answer', '42'],
      prints: /^42$/m,
      long: [...cli, 'SUBSCRIBE', 'news'],
      begins: /subscribe\nnews\n/,
    }),
  };
}

function openssh(): Protocol {
  const { programs, missing } = programsForTests('sshd', 'ssh', 'ssh-keygen');
  return {
    name: 'OpenSSH',
    missing,
    async start() {
      const server = await startOpenssh(programs);
      const ssh = ['ssh', ...server.options, '-p', '{port}', `${server.user}@{host}`] as const;
      return {
        server,
        short: [...ssh, 'echo $((6 * 7))'],
        prints: /^42$/m,
        long: [...ssh, 'echo begins; yes'],
        begins: /^begins$/m,
      };
    },
  };
}
