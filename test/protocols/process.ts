import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

/** What is kept of either stream: some clients print as fast as the server sends. */
const KEPT = 100_000;

/** A client that runs, with the beginning of what it prints. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  /** Resolves as soon as what it has printed on either stream matches. */
  readonly printed: (pattern: RegExp) => Promise<string>;
}

/** Starts a program that may print without an end. */
export function startClient(command: string, args: readonly string[], { cwd, env }: Where): Running {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  const waiting = new Set<() => void>();
  const hear = (name: keyof typeof text) => (part: Buffer) => {
    if (text[name].length < KEPT) text[name] += part.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', hear('out'));
  child.stderr.on('data', hear('err'));
  const ended: Running['ended'] = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...text }));
  });
  return {
    child,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text.out + text.err)) return;
          waiting.delete(look);
          resolve(text.out + text.err);
        };
        waiting.add(look);
        void ended.then(() => reject(new Error(`ended without ${String(pattern)}: ${text.out}${text.err}`)));
        look();
      }),
  };
}

interface Where {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A program whose standard streams are all ours. */
export interface Piped {
  readonly child: ReturnType<typeof spawn> & {
    readonly stdin: NodeJS.WritableStream;
    readonly stdout: NodeJS.ReadableStream;
  };
  /** What came on standard error so far. */
  readonly err: () => string;
  /** Resolves with exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
}

/** Starts a program with pipes for input and output. Nobody reads the output yet. */
export function startPiped(command: string, args: readonly string[], { cwd, env }: Where): Piped {
  const child = spawn(command, args, { cwd, env, stdio: 'pipe' });
  let err = '';
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal!));
  });
  return { child, err: () => err, ended };
}

/** Everything that a stream brings: how many bytes, and their digest. */
export async function digestOf(
  stream: NodeJS.ReadableStream,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The text of a stream, to its end. */
export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const part of stream as AsyncIterable<Buffer>) text += part.toString();
  return text;
}

/** Bytes of memory that a process holds. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1_024;
}

/** Whether a process is there, and not only its name. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
