/** What the program ends with. Scripts rely on these numbers: docs/cli.md lists them, and a test compares the two. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  /** Wrong usage, configuration or input. */
  usage: 2,
  /** Not authenticated or not permitted. */
  notPermitted: 3,
  notFound: 4,
  /** Already decided, or changed meanwhile. */
  conflict: 5,
  /** The request that was waited for has been denied, withdrawn or has lapsed. */
  notGranted: 6,
  timedOut: 7,
  unreachable: 69,
  serviceFailed: 70,
  /** Told twice to end. */
  interrupted: 130,
} as const;
