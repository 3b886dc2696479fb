import { destination, pino, stdTimeFunctions, type Logger } from 'pino';

export type Log = Logger;

/**
 * JSON lines, on standard error or in a file, in UTC. Written at once: what matters most is written last, just before the end.
 * Whatever could hold a secret or a whole certificate is left out, wherever it turns up.
 */
export function createLog({
  level,
  version,
  file,
}: {
  readonly level: string;
  readonly version: string;
  readonly file?: string;
}): Log {
  return pino(
    {
      level,
      base: { version },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          'authorization',
          'cookie',
          'token',
          'secret',
          'certificate',
          '*.authorization',
          '*.token',
          '*.secret',
          '*.certificate',
        ],
        remove: true,
      },
    },
    destination({ dest: file ?? 2, sync: true, mkdir: true }),
  );
}

/** Logs a kind of trouble at most once in ten seconds, with the number of times it has been seen. */
export function createAlarm(log: Log, mono: () => number, count: (kind: string) => void): (cause: unknown) => void {
  const last = new Map<string, { at: number; held: number }>();
  return (cause) => {
    const kind = cause instanceof Error ? cause.name : 'unknown';
    count(kind);
    const text = cause instanceof Error ? cause.message : String(cause);
    const seen = last.get(text);
    const now = mono();
    if (seen && now - seen.at < 10_000) {
      seen.held += 1;
      return;
    }
    if (last.size > 100) last.clear();
    last.set(text, { at: now, held: 0 });
    log.error({ err: cause, repeated: seen?.held ?? 0 }, 'alarm');
  };
}
