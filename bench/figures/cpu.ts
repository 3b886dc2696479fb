import { readFileSync } from 'node:fs';

/** Processor time of a process with all its threads, in microseconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

// USER_HZ, in which the kernel tells times in /proc on every architecture that Node runs on.
const TICK_MICROS = 10_000;

/** As proc_pid_stat(5) has it: to a hundredth of a second, so measure for a few. */
export function cpuTimeOf(pid: number): CpuTime {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in brackets may hold anything; fields are counted behind it. utime is field 14, stime 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * TICK_MICROS, system: Number(fields[12]) * TICK_MICROS };
}

export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}

/** Milliseconds that the main thread of a process was ready to run while others had its processor. */
export function waitedOf(pid: number): number {
  const [, nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(nanoseconds) / 1e6;
}
