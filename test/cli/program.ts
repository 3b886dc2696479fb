import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';

/** How the program is started from its sources: node and what stands before the words of the command line. */
export const PROGRAM: readonly [string, ...string[]] = [
  process.execPath,
  '--import',
  resolve('node_modules/tsx/dist/esm/index.mjs'),
  resolve('src/cli/main.ts'),
];

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** A program that runs. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with what it has printed on both, as soon as that matches. */
  printed(pattern: RegExp): Promise<string>;
}

export interface Where {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The environment of a person who has set nothing up. */
function bareEnvironment(more: Where['env'] = {}): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...more };
}

/** Starts a command of the program in a process of its own. */
export function start(words: readonly string[], { cwd, env }: Where): Started {
  const [command, ...before] = PROGRAM;
  return startCommand(command, [...before, ...words], { cwd, env });
}

/** Starts any command. */
export function startCommand(command: string, args: readonly string[], { cwd, env }: Where): Started {
  const child = spawn(command, args, { cwd, env: bareEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const waiting = new Set<() => void>();
  const heard = () => waiting.forEach((look) => look());
  child.stdout.on('data', (part: Buffer) => ((out += part.toString()), heard()));
  child.stderr.on('data', (part: Buffer) => ((err += part.toString()), heard()));
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, out, err }));
  });
  return {
    child,
    ended,
    printed: (pattern) =>
      new Promise((done, fail) => {
        const look = () => {
          if (!pattern.test(out + err)) return;
          waiting.delete(look);
          done(out + err);
        };
        waiting.add(look);
        void ended.then(() => fail(new Error(`ended without ${String(pattern)}: ${out}${err}`)));
        look();
      }),
  };
}

/** Runs a command of the program to its end. */
export function runProgram(words: readonly string[], where: Where): Promise<Ended> {
  return start(words, where).ended;
}
