import type { Room } from '../access/dependencies.js';
import { DiskGuard } from '../store/disk-guard.js';
import { statfs } from '../store/folder.js';
import type { Log } from './log.js';

/** Checks ask for the level, so it is looked up once a second and not once a check. */
const LOOK_MS = 1_000;

/** Watches the free space of the data folder until it is closed. `keptBack` in bytes. */
export function openRoom(folder: string, log: Log, keptBack?: number): Room & { close(): void } {
  const guard = new DiskGuard({ folder, statfs, ...(keptBack !== undefined && { reserveBytes: keptBack }) });
  let level = guard.level();
  const look = () => {
    const now = guard.level();
    if (now !== level)
      log[now === 'all' ? 'info' : 'error']({ level: now }, 'free disk space: this may still be written');
    level = now;
    guard.replenish().catch((error: unknown) => log.warn({ err: error }, 'no disk space is kept back'));
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { level: () => level, ending: (work) => guard.ending(work), close: () => clearInterval(timer) };
}
