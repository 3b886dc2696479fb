/** Everything that a command gets from the process it runs in, so that a test can be that process. */
export interface Shell {
  /** For data: what a script reads. */
  readonly stdout: Sink;
  /** For messages: what a person reads. */
  readonly stderr: Sink;
  readonly env: Environment;
  readonly cwd: string;
  readonly time: Time;
  readonly signals: Signals;
  /** A word that nobody uses twice: for idempotency keys. */
  readonly unique: () => string;
  readonly version: string;
  /** How this program is started as another process. */
  readonly program: readonly [string, ...string[]];
}

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where text goes. */
export type Sink = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The time as commands use it: to show it and to wait. The service decides with its own. */
export interface Time {
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Milliseconds since some fixed moment; never steps. */
  mono(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** How a process is told to end or to reload. */
interface Signals {
  on(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', hear: () => void): void;
  /** Ends the process at once, whatever it is doing. */
  endNow(exitCode: number): void;
}
