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

/** In milliseconds. */
const ALARM_PAUSE = 10_000;

/** Texts told apart at a time. A text that callers have a hand in could otherwise be another one each time. */
const MAX_TEXTS = 100;

/**
 * Logs a kind of trouble at most once in ten seconds, with the number of times it has been held back since. Kinds are told
 * apart by their text; when there are very many, by the name of the error alone.
 */
export function createAlarm(log: Log, mono: () => number, count: (kind: string) => void): (cause: unknown) => void {
  const last = new Map<string, { at: number; held: number }>();
  return (cause) => {
    const name = cause instanceof Error ? cause.name : 'unknown';
    count(name);
    const now = mono();
    const text = `${name}: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (!last.has(text) && last.size >= MAX_TEXTS) forgetQuiet(last, now);
    const kind = last.has(text) || last.size < MAX_TEXTS ? text : name;
    const seen = last.get(kind);
    if (seen && now - seen.at < ALARM_PAUSE) {
      seen.held += 1;
      return;
    }
    last.set(kind, { at: now, held: 0 });
    log.error({ err: cause, repeated: seen?.held ?? 0 }, 'alarm');
  };
}

function forgetQuiet(last: Map<string, { readonly at: number }>, now: number): void {
  for (const [kind, { at }] of last) if (now - at >= ALARM_PAUSE) last.delete(kind);
}
