import { cpus, loadavg, release } from 'node:os';

/** What a figure depends on, in one line: it is printed above every table. */
export function machineLine(extra: readonly string[] = []): string {
  const [processor] = cpus();
  const parts = [
    `${cpus().length} x ${processor?.model.trim() ?? 'unknown processor'}`,
    `Linux ${release().split('-', 1)[0]}`,
    `Node ${process.version.slice(1)}`,
    ...extra,
    `load ${loadavg()[0]!.toFixed(1)} before`,
  ];
  return parts.join(', ');
}
