import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of its own that runs one of our files; what it prints is waited for. */
export interface Running {
  readonly child: ChildProcess;
  /** Everything it has printed so far, on standard output. */
  readonly lines: string[];
  /** Resolves with the next line that begins so; rejects when the process ends without it. */
  line(start: string): Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a TypeScript file of this folder, through the given commands if any (`strace …`). */
export function run(
  file: string,
  args: readonly string[],
  options: { through?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Running {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const [command, ...rest] = [...(options.through ?? []), process.execPath, '--import', 'tsx', path, ...args];
  const child = spawn(command!, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...options.env },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let unfinished = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (unfinished + text).split('\n');
    unfinished = parts.pop()!;
    lines.push(...parts);
    for (const look of waiting) look();
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    for (const look of waiting) look();
    return { code: code as number | null, signal: signal as string | null };
  });

  async function line(start: string): Promise<string> {
    for (let over = false; ;) {
      const found = lines.find((one) => one.startsWith(start));
      if (found !== undefined) return found;
      if (over) throw new Error(`${file} ended without printing ${JSON.stringify(start)}: ${lines.join(' / ')}`);
      over = await Promise.race([ended.then(() => true), news()]);
    }
  }

  function news(): Promise<false> {
    return new Promise((resolve) => {
      const look = () => {
        waiting.delete(look);
        resolve(false);
      };
      waiting.add(look);
    });
  }

  return {
    child,
    lines,
    line,
    ended,
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}
