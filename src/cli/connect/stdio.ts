import { closeSync, openSync } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import type { NearEnd } from './carry.js';

interface Standard {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  /** Ends standard output for whoever reads it, while the process goes on. */
  readonly closeStdout: () => void;
}

/** Standard input and output as the near end of one session. */
export function standardEnd({ stdin, stdout, closeStdout }: Standard): NearEnd {
  const writable = new Writable({
    write: (bytes: Buffer, _, done) => {
      // `done` is called when the bytes have left: so the far end goes no faster than the reader.
      stdout.write(bytes, (error) => done(error));
    },
    final: (done) => {
      closeStdout();
      // At a terminal nobody knows that nothing more will come of what is typed.
      if (stdin.isTTY) stdin.destroy();
      done();
    },
  });
  stdout.on('error', (error) => writable.destroy(error));
  return {
    readable: stdin,
    writable,
    reset: () => {
      stdin.destroy();
      writable.destroy();
    },
  };
}

/**
 * Closes file descriptor 1, so that the reader sees the end. Its number must not come free: the next file or connection
 * would get it, and whatever is printed would go there.
 */
export function closeDescriptorOne(): void {
  closeSync(1);
  openSync('/dev/null', 'w');
}
