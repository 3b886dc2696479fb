import { EXIT } from './exit-codes.js';

/** An end that is no success: what the person reads on standard error, and what scripts get. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  /** Printed one below the other, each made harmless first. None: whoever failed has said so itself. */
  readonly lines: readonly string[];

  constructor(exitCode: number, lines: readonly string[], options?: ErrorOptions) {
    super(lines.join('\n'), options);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/** A failure with one message, and where there is something to do, a hint. */
export function failure(exitCode: number, message: string, hint?: string, options?: ErrorOptions): Failure {
  return new Failure(exitCode, [`error: ${message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])], options);
}

/** A failure of whoever typed the command. */
export function usageError(message: string, hint?: string, options?: ErrorOptions): Failure {
  return failure(EXIT.usage, message, hint, options);
}
