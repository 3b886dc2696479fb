import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, days, hours, type Instant } from '../../src/domain/time.js';
import { fillFolder } from '../fill.js';
import { CACHE } from './cache.js';

/** A data folder with grants in it, all of them usable now. Not to be served from: it is copied for each run. */
export interface Filled {
  readonly data: string;
  readonly macKey: string;
  /** Birth of the first grant; the others follow a millisecond apart. */
  readonly start: Instant;
}

/** Counted up when what `fill` writes changes. */
const LAYOUT = 2;

/** A grant lives seven days; what is in the cache must last through a run. */
const USABLE_DAYS = 6;

/** Takes it from the cache, or fills it: a million grants take minutes. */
export async function filledWith(grants: number, now: Instant): Promise<Filled> {
  const folder = join(CACHE, `grants-${grants}-v${LAYOUT}`);
  const filled = { data: join(folder, 'data'), macKey: join(folder, 'store.key') };
  const cached = usableUntil(folder);
  if (now < cached) return { ...filled, start: after(cached, days(-USABLE_DAYS)) };
  rmSync(folder, { recursive: true, force: true });
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  console.error(`filling a data folder with ${grants} grants …`);
  // The last one is born an hour ago: a store that has seen a later time than now would make the clock suspect.
  const start = (now - hours(1) - grants) as Instant;
  await fillFolder(join(making, 'data'), join(making, 'store.key'), { count: grants, start, history: false });
  writeFileSync(join(making, 'usable-until'), String(after(start, days(USABLE_DAYS))));
  renameSync(making, folder);
  return { ...filled, start };
}

function usableUntil(folder: string): Instant {
  const file = join(folder, 'usable-until');
  return (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0) as Instant;
}
