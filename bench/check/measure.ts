import { cpuBetween, cpuTimeOf, type CpuTime } from '../figures/cpu.js';
import type { Loaded } from '../load/h2load.js';

/** Something that answers checks. */
export interface Server {
  readonly pid: number;
  readonly socket: string;
  stop(): Promise<void>;
}

/** One turn of one server. */
export interface Sample {
  readonly loaded: Loaded;
  readonly cpu: CpuTime;
}

/** Puts load on a server; the processor time is all that its process used meanwhile. */
export async function measure(server: Server, load: (socket: string) => Promise<Loaded>): Promise<Sample> {
  const before = cpuTimeOf(server.pid);
  const loaded = await load(server.socket);
  return { loaded, cpu: cpuBetween(before, cpuTimeOf(server.pid)) };
}

/** Microseconds of processor time for each check. */
export function cpuPerCheck({ loaded, cpu }: Sample): number {
  return (cpu.user + cpu.system) / loaded.done;
}
