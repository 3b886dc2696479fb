import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { visible } from '../domain/visible.js';
import { DELIVERED, failed, later, type Deliver, type Outcome } from './delivery.js';

/** Milliseconds that the program may take. */
const TIMEOUT_MS = 10_000;

/** Characters of what it prints that go into the log. */
const MAX_OUTPUT = 2_000;

/** `EX_TEMPFAIL` of sysexits.h: by this code it asks to be started again. */
const TRY_AGAIN = 75;

/** Always the same, whatever the service was started with: nothing of it leaks, and the program finds the usual tools. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts a program for each notice, which it gets as one line of JSON on its standard input. No shell, no arguments: nothing that
 * a requester wrote is ever read as anything but text. It leads a process group of its own, and all of that is killed with it.
 */
export function execDelivery(file: string, { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Deliver {
  return (notice, signal) =>
    new Promise((resolve) => {
      const child: Child = spawn(file, [], {
        cwd: dirname(file),
        env: { PATH, LANG: 'C.UTF-8', PORTCULLIS_EVENT: notice.kind, PORTCULLIS_EVENT_ID: notice.id },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
        shell: false,
      });
      const printed = collected(child);
      let ending = '';
      const end = (why: string) => {
        ending = why;
        killGroup(child);
      };
      const timer = setTimeout(() => end(`took longer than ${timeoutMs} ms and was killed`), timeoutMs);
      const stop = () => end('was killed, because the service ends');
      signal.addEventListener('abort', stop, { once: true });
      const settle = (outcome: Outcome) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        // What it has left behind in its group must not live on, nor keep its pipes open.
        killGroup(child);
        child.stdout.destroy();
        child.stderr.destroy();
        resolve(outcome);
      };
      child.once('error', (error) => settle(failed(`cannot be started: ${error.message}`)));
      child.once('exit', (code, killed) => settle(outcomeOf({ code, killed, ending, printed: printed() })));
      // It need not read what it is told.
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${JSON.stringify(notice)}\n`);
      if (signal.aborted) stop();
    });
}

interface Exit {
  readonly code: number | null;
  readonly killed: string | null;
  readonly ending: string;
  readonly printed: string;
}

function outcomeOf({ code, killed, ending, printed }: Exit): Outcome {
  if (code === 0) return DELIVERED;
  const how = ending || (code === null ? `was ended by ${killed}` : `ended with ${code}`);
  const why = printed === '' ? how : `${how}: ${printed}`;
  return code === TRY_AGAIN ? later(why) : failed(why);
}

/** The beginning of what it prints, on both; the rest is read and forgotten. */
function collected({ stdout, stderr }: Child): () => string {
  let text = '';
  const take = (part: Buffer) => {
    if (text.length < MAX_OUTPUT) text += part.toString('utf8');
  };
  stdout.on('data', take);
  stderr.on('data', take);
  return () => visible(text.slice(0, MAX_OUTPUT).trim());
}

function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
