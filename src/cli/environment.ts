import type { Environment } from './shell.js';

/** The variables that the command line reads, for whatever needs them. */
export function environment(): Environment {
  // oxlint-disable-next-line no-restricted-properties -- the one place of the command line that reads the environment
  return process.env;
}
