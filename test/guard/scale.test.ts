import { expect, test } from 'vitest';
import { allow, welcomedHost } from './fake-host.js';

const MANY = 100_000;

test('sessions cost less than 2 KiB each, and a tick with 100,000 of them less than a millisecond and no memory', () => {
  const host = welcomedHost();
  const empty = host.memory;
  for (let i = 0; i < MANY; i++) {
    host.request({
      metadata: allow({ grant_id: `gr_${i % 5_000}`, remaining_ms: 600_000 + ((i * 7_919) % 3_600_000) }),
    });
  }
  expect((host.memory - empty) / MANY).toBeLessThan(2_048);
  for (let i = 0; i < 4; i++) {
    host.send({ heartbeat: {} }, { command: 0 });
    host.advance(500);
  }
  const full = host.memory;
  host.streams.length = 1;
  // The service is heard in between, so that nothing is cut; ticks of heartbeats are among them.
  const ticks = Array.from({ length: 200 }, (_, i) => {
    if (i % 5 === 0) host.send({ heartbeat: {} }, { command: 0 });
    host.monotonic += 100;
    host.spentMs = 0;
    const begin = performance.now();
    host.tick();
    return performance.now() - begin - host.spentMs;
  });
  ticks.sort((a, b) => a - b);
  // Every fifth sends a heartbeat. What the host does is not the guard's; beyond the ninth decile it is the machine's.
  expect(ticks[180]).toBeLessThan(1);
  expect(host.memory).toBe(full);
});

test('100,000 sessions that come and go leave nothing behind', () => {
  const host = welcomedHost();
  const cycles = (count: number) => {
    for (let i = 0; i < count; i++) {
      const kind = i % 4;
      const metadata = allow({ grant_id: `gr_${i}`, remaining_ms: kind === 2 ? 150 : 600_000, as_of: 1_000_000 });
      const id =
        kind === 3 ? host.connection() : host.request({ metadata, ...(kind === 1 && { headers: { upgrade: 'x' } }) });
      if (kind === 3) host.setMetadata(id, metadata, 'network');
      if (i % 50 === 0) {
        host.send({ heartbeat: {} }, { command: 0 });
        host.advance(100);
      }
      if (kind === 0) host.send({ cut: { sessions: [id] } });
      host.done(id);
    }
    host.stream.told.length = 0;
  };
  cycles(10_000);
  const before = host.memory;
  cycles(90_000);
  expect(host.memory).toBe(before);
  host.advance(500);
  expect(host.told('heartbeat').at(-1)!.sessions).toBe(0);
});

test('cuts that come and go leave nothing behind', () => {
  const host = welcomedHost();
  const cycle = (round: number) => {
    const grants = Array.from({ length: 1_000 }, (_, i) => ({ grantId: `gr_${round}_${i}`, remainingMs: 60_000 }));
    host.send({ cut: { grants } }, { sequence: 11 });
    for (let i = 0; i < 32; i++) {
      host.send({ heartbeat: {} }, { command: 0 });
      host.advance(2_000, 500);
    }
    host.stream.told.length = 0;
  };
  for (let i = 0; i < 5; i++) cycle(i);
  const before = host.memory;
  for (let i = 5; i < 60; i++) cycle(i);
  expect(host.memory).toBe(before);
});
