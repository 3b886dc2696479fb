import { Writable } from 'node:stream';
import { run } from '../../src/cli/program.js';
import type { Environment, Shell, Time } from '../../src/cli/shell.js';
import type { CliService } from './service.js';

/** What a command line came to. */
export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Given {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly time?: Partial<Time>;
  /** Columns of the terminal that standard output is; else it is a pipe. */
  readonly terminal?: number;
}

/** Runs a command line in this process, as the program does in its own. */
export async function typed(words: readonly string[], given: Given = {}): Promise<Typed> {
  const stdout = new Collected(given.terminal);
  const stderr = new Collected(given.terminal);
  const code = await run(shellFor({ ...given, stdout, stderr }), words);
  return { code, out: stdout.text, err: stderr.text };
}

/** Runs a command line as one of the players of a service, by its clock. */
export function player(service: CliService, given: Given = {}) {
  const time = { wall: () => service.clock.read().wall, mono: () => service.clock.read().mono, ...given.time };
  return (name: string, ...words: string[]) =>
    typed(words, { ...given, time, cwd: service.folder, env: { PORTCULLIS_CONTEXT: `./${name}.yaml`, ...given.env } });
}

/** A process for commands to run in. */
export function shellFor({
  stdout,
  stderr,
  env = {},
  cwd = '/nowhere',
  time,
}: Given & Pick<Shell, 'stdout' | 'stderr'>): Shell {
  let unique = 0;
  return {
    stdout,
    stderr,
    env,
    cwd,
    time: { wall: () => 0, mono: () => 0, sleep: async () => undefined, ...time },
    signals: { on: () => undefined, endNow: () => undefined },
    unique: () => `${process.pid}-${performance.now()}-${++unique}`,
    version: '1.2.3',
    program: ['portcullis'],
  };
}

/** A sink that remembers. */
export class Collected extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns: number | undefined) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
