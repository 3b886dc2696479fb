import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeToGuard } from './codec.js';
import { allow, FakeHost, pairs, welcomedHost } from './fake-host.js';
import type { Commands } from './messages.js';

const grantId = fc.constantFrom('gr_a', 'gr_b', 'gr_c', '', 'g'.repeat(70));
const number = fc.oneof(fc.nat(), fc.constantFrom(0, -1, 2 ** 31, 2 ** 53, -(2 ** 53)));
const sessions = fc.array(fc.oneof(fc.integer({ min: 95, max: 125 }), fc.nat()), { maxLength: 8 });

const command: fc.Arbitrary<Commands> = fc.oneof(
  fc.record({ welcome: fc.record({ tickMs: fc.nat(), contactGraceMs: fc.nat(), maxSessions: fc.nat() }) }),
  fc.record({
    cut: fc.record({
      grants: fc.array(fc.record({ grantId, remainingMs: number }), { maxLength: 4 }),
      sessions,
      reason: fc.constantFrom('IDLE', 'CUT', 'PEER'),
    }),
  }),
  fc.record({ extend: fc.record({ grantId, remainingMs: number, endsMs: number }) }),
  fc.record({ rebind: fc.record({ sessions, grantId, remainingMs: number, endsMs: number }) }),
  fc.record({ forget: fc.constant({}) }),
  fc.record({ heartbeat: fc.record({ wallMs: number }) }),
);

const encoded = fc
  .tuple(command, fc.nat(), fc.nat({ max: 30 }))
  .map(([body, id, sequence]) => Buffer.from(encodeToGuard(body, id, sequence)));

/** Bytes that were once a message. */
const mutated = fc
  .tuple(
    encoded,
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'drop', 'insert')), { maxLength: 4 }),
  )
  .map(([bytes, changes]) => changes.reduce(change, bytes));

function change(bytes: Buffer, [where, value, kind]: [number, number, string]): Buffer {
  const at = where % (bytes.length + 1);
  const rest = bytes.subarray(kind === 'insert' ? at : at + 1);
  return Buffer.concat([bytes.subarray(0, at), kind === 'drop' ? Buffer.alloc(0) : Buffer.of(value), rest]);
}

/** As long as the guard answers sensibly, it has kept its head. */
function expectSane(host: FakeHost): void {
  host.advance(3_000, 500);
  for (const id of host.contexts.keys()) host.done(id);
  expect(host.contexts.size).toBe(0);
}

/** Sessions of three grants and all kinds. */
function busyHost(): FakeHost {
  const host = welcomedHost();
  for (let i = 0; i < 10; i++) {
    const metadata = allow({ grant_id: `gr_${'abc'[i % 3]!}`, as_of: 5 + i, remaining_ms: 100 + 700 * i });
    host.request({ metadata, ...(i % 2 === 0 && { headers: { upgrade: 'x' } }) });
    host.setMetadata(host.connection(), metadata, 'network');
  }
  return host;
}

describe('no message makes the guard trap, or forget how many sessions it has', () => {
  const expectToSurvive = (bytes: fc.Arbitrary<readonly Buffer[]>, numRuns: number) =>
    fc.assert(
      fc.property(bytes, fc.constantFrom('at once' as const, 'after the call' as const), (messages, closes) => {
        const host = busyHost();
        host.closes = closes;
        for (const message of messages) {
          host.receive(message);
          host.advance(100);
        }
        // One welcome that is sound, so that the guard tells what it thinks.
        while (!host.stream.isOpen) host.advance(100);
        host.send({ welcome: { tickMs: 100, contactGraceMs: 600_000, maxSessions: 1_000 } });
        const heard = host.told('heartbeat').length;
        let live = 0;
        while (host.told('heartbeat').length === heard) {
          live = host.contexts.size - 1;
          host.advance(100);
        }
        expect(host.told('heartbeat').at(-1)!.sessions).toBe(live);
        expectSane(host);
      }),
      { numRuns },
    );

  test('random bytes', () => {
    expectToSurvive(
      fc.array(
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        { maxLength: 10 },
      ),
      150,
    );
  });

  test('messages of all kinds in any order', () => {
    expectToSurvive(fc.array(encoded, { minLength: 1, maxLength: 12 }), 300);
  });

  test('messages that were changed on their way', () => {
    expectToSurvive(fc.array(mutated, { minLength: 1, maxLength: 12 }), 500);
  });
});

test('what cannot be understood changes nothing: a message is carried out or counted as malformed', () => {
  fc.assert(
    fc.property(mutated, (bytes) => {
      const host = busyHost();
      const before = { malformed: 0, cut: host.told('closed').length };
      host.receive(bytes);
      const cut = host.told('closed').length - before.cut;
      if (!host.stream.isOpen) return;
      host.send({ welcome: { tickMs: 100, contactGraceMs: 600_000 } });
      host.monotonic += 500;
      host.tick();
      if (host.told('heartbeat').at(-1)!.malformed > 0) expect(cut).toBe(0);
    }),
    { numRuns: 300 },
  );
});

describe('no metadata makes the guard trap', () => {
  const ask = (host: FakeHost, raw: Buffer) => {
    const id = host.request({ raw });
    return host.context(id).answer?.status ?? 200;
  };

  test('random bytes let nobody in', () => {
    const host = welcomedHost();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(ask(host, Buffer.from(bytes))).toBe(503);
      }),
      { numRuns: 500 },
    );
  });

  test('metadata that was changed is taken or refused', () => {
    const host = welcomedHost();
    const whole = pairs(allow());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'drop', 'insert')), { maxLength: 3 }),
        (changes) => {
          expect([200, 403, 503]).toContain(ask(host, changes.reduce(change, whole)));
        },
      ),
      { numRuns: 1_000 },
    );
    host.advance(70_000);
  });
});

test('no configuration makes the guard trap', () => {
  const host = new FakeHost();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(host.configure(bytes)).toBe(false);
    }),
    { numRuns: 300 },
  );
});
