import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allow, welcomedHost } from './fake-host.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

describe('a session ends', () => {
  test('at its end, and not a millisecond before', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ remaining_ms: 2_000 }) });
    host.advance(1_999, 1_999);
    expect(host.isCut(id)).toBe(false);
    host.advance(1, 1);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('closed')).toMatchObject([{ session: id, reason: 'EXPIRED' }]);
  });

  test('before the service has heard of it: then it hears of beginning and end', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ remaining_ms: 300 }) });
    host.advance(300);
    expect(host.told('opened')).toMatchObject([{ session: { session: id } }]);
    expect(host.told('closed')).toMatchObject([{ session: id, reason: 'EXPIRED' }]);
  });

  test('each in its own time, in whatever order they began', () => {
    const host = welcomedHost();
    const lengths = Array.from({ length: 300 }, (_, i) => 100 + ((i * 7_919) % 300) * 100);
    const ids = lengths.map((remaining_ms) =>
      host.request({ metadata: allow({ remaining_ms, grant_id: `gr_${remaining_ms % 7}` }) }),
    );
    for (let now = 100; now <= 30_100; now += 100) {
      if (now % 500 === 0) host.send({ heartbeat: {} }, { command: 0 });
      host.advance(100);
      expect(ids.filter((id) => host.isCut(id)).length).toBe(lengths.filter((length) => length <= now).length);
    }
  });

  test('in its own time, however ends are moved and whoever goes before', () => {
    const length = fc.integer({ min: 1, max: 60 });
    const move = fc.record({ which: fc.nat({ max: 39 }), to: fc.option(length, { nil: null, freq: 4 }) });
    fc.assert(
      fc.property(
        fc.array(length, { minLength: 1, maxLength: 40 }),
        fc.array(move, { maxLength: 40 }),
        (lengths, moves) => {
          const host = welcomedHost({ contactGraceMs: 600_000 });
          const ends = lengths.map((tenths) => tenths * 100);
          const ids = ends.map((remaining_ms, i) =>
            host.request({ metadata: allow({ remaining_ms, grant_id: `gr_${i}` }) }),
          );
          moves.forEach(({ which, to }, i) => {
            if (which >= ids.length) return;
            if (to === null) {
              host.done(ids[which]!);
              ends[which] = 0;
            } else if (ends[which] !== 0) {
              const term = { remainingMs: to * 100, endsMs: START + 10 * 60_000 };
              host.send({ extend: { grantId: `gr_${which}`, ...term } }, { sequence: 11 + i });
              ends[which] = to * 100;
            }
          });
          for (let now = 0; now <= 6_000; now += 100) {
            expect(ids.map((id) => host.isCut(id))).toEqual(ends.map((end) => end <= now));
            host.send({ heartbeat: {} }, { command: 0 });
            host.advance(100);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('also when the contact is lost, within the grace', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ remaining_ms: 2_000 }) });
    host.endStream();
    host.failing.add('proxy_grpc_stream');
    host.advance(2_000);
    expect(host.isCut(id)).toBe(true);
  });

  test('once: Envoy is not asked again while it is closing, and the first reason stands', () => {
    const host = welcomedHost();
    host.closes = 'later';
    const id = host.request({ metadata: allow({ remaining_ms: 500 }) });
    host.advance(600);
    host.send({ cut: { sessions: [id], grants: [{ grantId: 'gr_a', remainingMs: 1 }] } }, { sequence: 11 });
    host.advance(2_000);
    expect(host.context(id).closes).toEqual([0]);
    host.done(id);
    expect(host.told('closed')).toMatchObject([{ session: id, reason: 'EXPIRED' }]);
  });

  test('also when another one ends while it is being closed', () => {
    const host = welcomedHost();
    host.closes = 'at once';
    const [first, second] = [1_010, 1_020].map((remaining_ms) => host.request({ metadata: allow({ remaining_ms }) }));
    host.whileClosing = (id) => id === first && host.done(second!);
    host.advance(2_000);
    expect([first, second].map((id) => host.isCut(id!))).toEqual([true, true]);
    expect(host.told('heartbeat').at(-1)!.sessions).toBe(0);
  });

  test('at the next tick when Envoy could not close it', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ remaining_ms: 500 }) });
    host.failing.add('proxy_close_stream');
    host.advance(1_000);
    expect(host.isCut(id)).toBe(false);
    host.failing.clear();
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('closed')).toMatchObject([{ reason: 'EXPIRED' }]);
  });
});

describe('a clock of the host that is wrong', () => {
  test.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])('%s by an hour changes nothing', (_where, wrong) => {
    const host = welcomedHost();
    host.wall = START + wrong;
    const id = host.request({ metadata: allow({ remaining_ms: 2_000, ends_at: START + 2_000 }) });
    for (let i = 0; i < 4; i++) {
      host.send({ heartbeat: { wallMs: START + i * 475 } }, { command: 0 });
      host.advance(475);
    }
    expect(host.isCut(id)).toBe(false);
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
  });

  test.each([
    ['ahead', HOUR],
    ['back', -HOUR],
  ])('that is set %s by an hour cuts nobody while the service is heard', (_where, step) => {
    const host = welcomedHost();
    const id = host.request();
    host.wall += step;
    for (let i = 0; i < 20; i++) {
      host.advance(500);
      host.send({ heartbeat: {} }, { command: 0 });
    }
    expect(host.isCut(id)).toBe(false);
  });

  test('that has run ahead of monotonic time, as after a sleep, cuts all when the service is not heard again soon', () => {
    const host = welcomedHost();
    const id = host.request();
    host.failing.add('proxy_grpc_stream');
    host.endStream();
    host.wall += HOUR;
    host.advance(2_000);
    expect(host.isCut(id)).toBe(false);
    host.advance(200);
    expect(host.isCut(id)).toBe(true);
  });
});

describe('the service’s clock', () => {
  test('ends a session at its end although monotonic time says later: the machine has slept', () => {
    const host = welcomedHost();
    host.send({ heartbeat: { wallMs: START } }, { command: 0 });
    const ids = Array.from({ length: 50 }, (_, i) =>
      host.request({ metadata: allow({ remaining_ms: HOUR + i, ends_at: START + HOUR + i }) }),
    );
    host.advance(500);
    host.send({ heartbeat: { wallMs: START + HOUR + 25 } }, { command: 0 });
    host.advance(1, 1);
    expect(ids.filter((id) => host.isCut(id)).length).toBeGreaterThanOrEqual(26);
    expect(ids.filter((id) => host.isCut(id)).length).toBeLessThanOrEqual(28);
    host.advance(100);
    expect(ids.every((id) => host.isCut(id))).toBe(true);
  });

  test('that goes ahead lengthens nothing', () => {
    const host = welcomedHost();
    host.send({ heartbeat: { wallMs: START } }, { command: 0 });
    const id = host.request({ metadata: allow({ remaining_ms: 1_000, ends_at: START + 60_000 }) });
    host.send({ heartbeat: { wallMs: START + 10_000 } }, { command: 0 });
    host.advance(1_000);
    expect(host.isCut(id)).toBe(true);
  });

  test('that goes back lengthens nothing', () => {
    const host = welcomedHost();
    host.send({ heartbeat: { wallMs: START } }, { command: 0 });
    const id = host.request({ metadata: allow({ remaining_ms: 1_000, ends_at: START + 1_000 }) });
    host.send({ heartbeat: { wallMs: START - HOUR } }, { command: 0 });
    host.advance(1_000);
    expect(host.isCut(id)).toBe(true);
  });

  test('makes up for an answer that was long on its way', () => {
    const host = welcomedHost();
    host.send({ heartbeat: { wallMs: START } }, { command: 0 });
    host.advance(400);
    const id = host.request({ metadata: allow({ remaining_ms: 1_000, ends_at: START + 1_000 }) });
    host.advance(600);
    expect(host.isCut(id)).toBe(true);
  });

  test.each([0, -1, 2 ** 60])('of %s counts for nothing', (wallMs) => {
    const host = welcomedHost();
    host.send({ heartbeat: { wallMs: START } }, { command: 0 });
    const id = host.request();
    host.send({ heartbeat: { wallMs } }, { command: 0 });
    host.advance(500);
    expect(host.isCut(id)).toBe(false);
  });
});
