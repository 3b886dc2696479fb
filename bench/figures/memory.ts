import { readFileSync } from 'node:fs';

/** Memory of a process that is no file's, in MiB: what it costs whether or not the page cache is full. */
export function anonymousMemoryOf(pid: number): number {
  return kibibytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Anonymous') / 1_024;
}

/** What is mapped and in memory altogether, in MiB: most of it is the database in the page cache. */
export function residentMemoryOf(pid: number): number {
  return kibibytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Rss') / 1_024;
}

function kibibytes(text: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`smaps_rollup has no line ${JSON.stringify(name)}`);
  return Number(found);
}
