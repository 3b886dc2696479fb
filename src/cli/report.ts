import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { visible } from './output/visible.js';
import type { Shell } from './shell.js';

/** Tells a person what went wrong, and gives the exit code for it. The one place where thrown things become exit codes. */
export function report(error: unknown, { stderr }: Pick<Shell, 'stderr'>): number {
  const { exitCode, lines } = asFailure(error);
  for (const line of lines) stderr.write(`${visible(line)}\n`);
  return exitCode;
}

function asFailure(error: unknown): Pick<Failure, 'exitCode' | 'lines'> {
  if (error instanceof Failure) return error;
  // By their names: whoever throws them is loaded only where it is needed.
  if (error instanceof Error && error.name === 'AccessError')
    return { exitCode: EXIT.usage, lines: [`error: ${error.message}`] };
  return { exitCode: EXIT.unexpected, lines: unexpectedLines(error) };
}

/** A bug or an outage of this machine: everything there is goes into a report. */
function unexpectedLines(error: unknown): string[] {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`error: unexpected: ${text.split('\n')[0]}`, ...text.split('\n').slice(1)];
}
