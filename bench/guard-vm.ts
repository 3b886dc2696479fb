// What the guard costs inside its VM, without Envoy: `npx tsx bench/guard-vm.ts`. Node's engine is Envoy's, V8. What the host does
// for a call, here in TypeScript and in Envoy in C++, is not in the figures of ticks; the others say so.
import { allow, welcomedHost, type FakeHost } from '../test/guard/fake-host.js';

const MANY = 100_000;

const host = welcomedHost();
const empty = host.memory;

const begin = performance.now();
for (let i = 0; i < MANY; i++) {
  host.request({ metadata: allow({ grant_id: `gr_${i % 5_000}`, remaining_ms: 600_000 + ((i * 7_919) % 3_600_000) }) });
}
report('open a session, with the host', ((performance.now() - begin) / MANY) * 1_000, 'µs');
report('memory for each of 100,000 sessions', (host.memory - empty) / MANY, 'bytes');

for (let i = 0; i < 4; i++) {
  hear(host);
  host.advance(500);
}
const ticks: number[] = [];
const beats: number[] = [];
for (let i = 0; i < 1_000; i++) {
  if (i % 4 === 0) hear(host);
  host.monotonic += 100;
  const told = host.stream.told.length;
  host.spentMs = 0;
  const start = performance.now();
  host.tick();
  const took = performance.now() - start - host.spentMs;
  (host.stream.told.length > told ? beats : ticks).push(took);
}
report('tick with 100,000 sessions, median', quantile(ticks, 0.5), 'ms');
report('tick with 100,000 sessions, p99', quantile(ticks, 0.99), 'ms');
report('tick with a heartbeat, which reads the bytes of 200 sessions, median', quantile(beats, 0.5), 'ms');
report('tick with a heartbeat, p99', quantile(beats, 0.99), 'ms');

host.sequence += 1;
const cut = performance.now();
host.send({ cut: { grants: [{ grantId: 'gr_7', remainingMs: 1 }] } });
report('cut one grant of 20 sessions among 100,000, with the host', performance.now() - cut, 'ms');

const again = performance.now();
host.endStream();
host.advance(300);
report('hello with 100,000 sessions, with the host decoding it', performance.now() - again, 'ms');

function hear(host: FakeHost): void {
  host.send({ heartbeat: {} }, { command: 0 });
}

function quantile(durations: number[], part: number): number {
  return durations.sort((a, b) => a - b)[Math.floor(durations.length * part)]!;
}

function report(what: string, value: number, unit: string): void {
  console.log(`${what}: ${value.toPrecision(3)} ${unit}`);
}
