import { createServer, type Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import { DENY_REASONS, type DenyReason } from '../domain/decision.js';

/** Bounded labels only: never a subject, a path or an id. */
export interface Metrics {
  /** One check: its reason (null for an allow) and how long it took. */
  readonly check: (reason: DenyReason | null, seconds: number) => void;
  readonly alarm: (kind: string) => void;
  /** A decision that was given and is not in the log of decisions. */
  readonly unrecorded: () => void;
  readonly policyReload: (outcome: 'loaded' | 'refused') => void;
  readonly text: () => Promise<string>;
  /** For what is measured elsewhere. */
  readonly registry: Registry;
}

/** What is read at each scrape. */
export interface Gauges {
  readonly sequence: () => number;
  readonly locks: () => number;
  readonly storeBytes: () => number;
  readonly clockTrusted: () => boolean;
}

export function createMetrics({ version, gauges }: { readonly version: string; readonly gauges: Gauges }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const checks = new Counter({
    name: 'portcullis_checks_total',
    help: 'Checks by decision and reason',
    labelNames: ['decision', 'reason'] as const,
    registers,
  });
  const allowed = checks.labels({ decision: 'allow', reason: '' });
  const denied = new Map(DENY_REASONS.map((reason) => [reason, checks.labels({ decision: 'deny', reason })]));
  const duration = new Histogram({
    name: 'portcullis_check_duration_seconds',
    help: 'Time from the arrival of a check to its answer',
    buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
    registers,
  });
  const alarms = new Counter({
    name: 'portcullis_alarms_total',
    help: 'Damage, failed storage and other causes for alarm',
    labelNames: ['kind'] as const,
    registers,
  });
  const unrecorded = new Counter({
    name: 'portcullis_decisions_unrecorded_total',
    help: 'Decisions that are not in the log, denies for want of room nearly always',
    registers,
  });
  const reloads = new Counter({
    name: 'portcullis_policy_reloads_total',
    help: 'Readings of the policy folder',
    labelNames: ['outcome'] as const,
    registers,
  });
  new Gauge({
    name: 'portcullis_build_info',
    help: 'Always 1',
    labelNames: ['version', 'node'] as const,
    registers,
  }).set({ version, node: process.version }, 1);
  readAtScrape('portcullis_change_sequence', 'Number of the last change', gauges.sequence, registers);
  readAtScrape('portcullis_locks', 'Locks, in force or not', gauges.locks, registers);
  readAtScrape('portcullis_store_bytes', 'Size of the store on disk', gauges.storeBytes, registers);
  readAtScrape(
    'portcullis_clock_trusted',
    '1 while wall and monotonic clock agree',
    () => Number(gauges.clockTrusted()),
    registers,
  );

  return {
    check: (reason, seconds) => {
      if (reason === null) allowed.inc();
      else denied.get(reason)!.inc();
      duration.observe(seconds);
    },
    alarm: (kind) => alarms.inc({ kind }),
    unrecorded: () => unrecorded.inc(),
    policyReload: (outcome) => reloads.inc({ outcome }),
    text: () => registry.metrics(),
    registry,
  };
}

/** What cannot be read is left out of a scrape; that a scrape fails would hide the rest. */
export function readAtScrape(name: string, help: string, read: () => number, registers: Registry[]): Gauge {
  return new Gauge({
    name,
    help,
    registers,
    collect() {
      try {
        this.set(read());
      } catch {
        this.remove();
      }
    },
  });
}

/** Serves `/metrics` and nothing else. */
export function serveMetrics(metrics: Metrics, address: ListenOptions): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n');
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => resolve(server));
  });
}
