import { describe, expect, test } from 'vitest';
import { allow, welcomedHost, type FakeHost } from './fake-host.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

describe('cut', () => {
  test('ends the sessions of its grants, and of no others', () => {
    const host = welcomedHost();
    const ids = Array.from({ length: 30 }, (_, i) => host.request({ metadata: allow({ grant_id: `gr_${i % 3}` }) }));
    host.send({ cut: { grants: [0, 2].map((i) => ({ grantId: `gr_${i}`, remainingMs: MINUTE })) } }, { sequence: 11 });
    expect(ids.map((id) => host.isCut(id))).toEqual(ids.map((_, i) => i % 3 !== 1));
    expect(new Set(host.told('closed').map(({ reason }) => reason))).toEqual(new Set(['CUT']));
    expect(host.told('closed').length).toBe(20);
  });

  test('finds its grants among thousands, of which many have gone in any order', () => {
    const host = welcomedHost();
    const ids = Array.from({ length: 6_000 }, (_, i) => host.request({ metadata: allow({ grant_id: `gr_${i}` }) }));
    const isGone = (i: number) => (i * 7_919) % 10 < 6;
    for (let i = 0; i < ids.length; i++) {
      // In an order that is not that of their coming.
      const one = (i * 3_571) % ids.length;
      if (isGone(one)) host.done(ids[one]!);
    }
    ids.forEach((id, i) => {
      if (isGone(i)) return;
      expect(host.isCut(id)).toBe(false);
      host.send({ cut: { grants: [{ grantId: `gr_${i}`, remainingMs: 1 }] } }, { sequence: 11 });
      expect(host.isCut(id)).toBe(true);
    });
  });

  test('ends sessions by number, with the reason it gives', () => {
    const host = welcomedHost();
    const [idle, other, unknown] = [host.request(), host.request(), 4_000_000_000];
    host.send({ cut: { sessions: [idle, unknown], reason: 'IDLE' } });
    expect([host.isCut(idle), host.isCut(other)]).toEqual([true, false]);
    expect(host.told('closed')).toMatchObject([{ session: idle, reason: 'IDLE' }]);
    host.send({ cut: { sessions: [other], reason: 'PEER' } });
    expect(host.told('closed').at(-1)).toMatchObject({ session: other, reason: 'CUT' });
  });

  test('ends a connection that is closed at once, too, and its neighbours', () => {
    const host = welcomedHost();
    host.closes = 'at once';
    const ids = Array.from({ length: 5 }, () => {
      const id = host.connection();
      host.setMetadata(id, allow(), 'network');
      return id;
    });
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: MINUTE }] } }, { sequence: 11 });
    expect(ids.every((id) => host.isCut(id))).toBe(true);
    expect(new Set(host.told('closed').map(({ session }) => session))).toEqual(new Set(ids));
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.sessions).toBe(0);
  });

  test('is confirmed at once, in its number', () => {
    const host = welcomedHost();
    const command = host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: 1 }] } }, { command: 77 });
    expect(host.told('applied').at(-1)).toEqual({ command });
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.command).toBe(77);
  });

  test('that comes once more, or late, spares who was let in knowing more', () => {
    const host = welcomedHost();
    const cut = { cut: { grants: [{ grantId: 'gr_a', remainingMs: MINUTE }] } };
    host.send(cut, { sequence: 11 });
    const id = host.request({ metadata: allow({ as_of: 12 }) });
    host.send(cut, { sequence: 11 });
    expect(host.isCut(id)).toBe(false);
    host.send(cut, { sequence: 12 });
    expect(host.isCut(id)).toBe(true);
  });
});

describe('a tombstone', () => {
  const cut = (host: FakeHost, sequence: number, remainingMs = 10 * MINUTE, grantId = 'gr_a') =>
    host.send({ cut: { grants: [{ grantId, remainingMs }] } }, { sequence });
  const ask = (host: FakeHost, as_of: number, grant_id = 'gr_a') =>
    host.context(host.request({ metadata: allow({ as_of, grant_id }) })).answer?.details ?? 'in';
  const live = (host: FakeHost, ms: number) => {
    for (let left = ms; left > 0; left -= 2_000) {
      host.send({ heartbeat: {} }, { command: 0 });
      host.advance(Math.min(left, 2_000), 500);
    }
  };

  test('refuses answers that are older than the cut', () => {
    const host = welcomedHost();
    cut(host, 11);
    expect([ask(host, 10), ask(host, 11), ask(host, 10, 'gr_b')]).toEqual(['portcullis_guard_stale', 'in', 'in']);
  });

  test('holds when an older cut comes after a newer one', () => {
    const host = welcomedHost();
    cut(host, 15);
    cut(host, 11, 1);
    live(host, 2 * MINUTE);
    expect([ask(host, 14), ask(host, 15)]).toEqual(['portcullis_guard_stale', 'in']);
  });

  test('holds until the grant would have ended by itself', () => {
    const host = welcomedHost();
    cut(host, 11, 2 * MINUTE);
    live(host, 2 * MINUTE - 500);
    expect(ask(host, 10)).toBe('portcullis_guard_stale');
    live(host, 500);
    expect(ask(host, 10)).toBe('in');
  });

  test('holds for a minute at least, for answers that are on their way', () => {
    const host = welcomedHost();
    cut(host, 11, 0);
    live(host, MINUTE - 500);
    expect(ask(host, 10)).toBe('portcullis_guard_stale');
  });

  test('refuses a connection whose answer is older, too', () => {
    const host = welcomedHost();
    cut(host, 11);
    const id = host.connection();
    host.setMetadata(id, allow(), 'network');
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
  });

  test('is one for all when there are too many: nobody who is too old gets in', () => {
    const host = welcomedHost();
    for (let i = 0; i < 70; i++) {
      const grants = Array.from({ length: 1_000 }, (_, k) => ({ grantId: `gr_${i}_${k}`, remainingMs: 10 * MINUTE }));
      host.send({ cut: { grants } }, { sequence: 11 + i });
    }
    expect([ask(host, 70, 'gr_69_999'), ask(host, 79, 'gr_69_999'), ask(host, 80, 'gr_69_999')]).toEqual([
      'portcullis_guard_stale',
      'portcullis_guard_stale',
      'in',
    ]);
    expect(ask(host, 10, 'gr_0_0')).toBe('portcullis_guard_stale');
    expect(ask(host, 80, 'gr_of_nobody')).toBe('in');
  });
});

describe('extend', () => {
  const extend = (host: FakeHost, remainingMs: number, sequence: number, grantId = 'gr_a') =>
    host.send({ extend: { grantId, remainingMs, endsMs: START + 10 * MINUTE } }, { sequence });
  const scene = () => {
    const host = welcomedHost();
    return { host, id: host.request({ metadata: allow({ remaining_ms: 1_000 }) }) };
  };

  test('moves the end of the grant’s sessions', () => {
    const { host, id } = scene();
    const other = host.request({ metadata: allow({ remaining_ms: 1_000, grant_id: 'gr_b' }) });
    extend(host, 3_000, 11);
    host.advance(2_900);
    expect([host.isCut(id), host.isCut(other)]).toEqual([false, true]);
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
  });

  test('may move it forward', () => {
    const { host, id } = scene();
    extend(host, 300, 11);
    host.advance(300);
    expect(host.isCut(id)).toBe(true);
  });

  test('to now or before ends them at once', () => {
    const { host, id } = scene();
    extend(host, -5, 11);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('closed')).toMatchObject([{ reason: 'EXPIRED' }]);
  });

  test('that comes once more does not lengthen again', () => {
    const { host, id } = scene();
    extend(host, 1_500, 11);
    host.advance(1_000);
    extend(host, 1_500, 11);
    host.advance(500);
    expect(host.isCut(id)).toBe(true);
  });

  test('that is older than the one before, or than the answer, changes nothing', () => {
    const { host, id } = scene();
    extend(host, 500, 12);
    extend(host, 5_000, 11);
    host.advance(500);
    expect(host.isCut(id)).toBe(true);
    const newer = host.request({ metadata: allow({ remaining_ms: 1_000, as_of: 20 }) });
    extend(host, 5_000, 19);
    host.advance(1_000);
    expect(host.isCut(newer)).toBe(true);
  });

  test('does not bring back what is cut', () => {
    const { host, id } = scene();
    host.failing.add('proxy_close_stream');
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: MINUTE }] } }, { sequence: 11 });
    host.failing.clear();
    extend(host, 5_000, 11);
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('closed')).toMatchObject([{ reason: 'CUT' }]);
  });
});

describe('rebind', () => {
  const rebind = (host: FakeHost, sessions: number[], grantId: string, remainingMs: number, sequence: number) =>
    host.send({ rebind: { sessions, grantId, remainingMs, endsMs: START + 10 * MINUTE } }, { sequence });

  test('puts sessions under another grant, with its end, so that the cut of the old one spares them', () => {
    const host = welcomedHost();
    const [moved, left] = [host.request({ metadata: allow({ remaining_ms: 1_000 }) }), host.request()];
    // Nothing has changed since the answers: the old grant just ends.
    rebind(host, [moved, 9_999], 'gr_b', 5_000, 10);
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: MINUTE }] } }, { sequence: 11 });
    expect([host.isCut(moved), host.isCut(left)]).toEqual([false, true]);
    host.advance(4_900);
    expect(host.isCut(moved)).toBe(false);
    host.send({ cut: { grants: [{ grantId: 'gr_b', remainingMs: MINUTE }] } }, { sequence: 12 });
    expect(host.isCut(moved)).toBe(true);
  });

  test('that comes once more does not lengthen', () => {
    const host = welcomedHost();
    const id = host.request();
    rebind(host, [id], 'gr_b', 1_000, 11);
    host.advance(500);
    rebind(host, [id], 'gr_b', 1_000, 11);
    host.advance(500);
    expect(host.isCut(id)).toBe(true);
  });

  test('that is older than the cut of the new grant is a cut', () => {
    const host = welcomedHost();
    const id = host.request();
    host.send({ cut: { grants: [{ grantId: 'gr_b', remainingMs: MINUTE }] } }, { sequence: 12 });
    rebind(host, [id], 'gr_b', 5_000, 11);
    expect(host.isCut(id)).toBe(true);
  });

  test('that is older than what the session knows changes nothing', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ as_of: 20 }) });
    rebind(host, [id], 'gr_b', 5_000, 19);
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: MINUTE }] } }, { sequence: 21 });
    expect(host.isCut(id)).toBe(true);
  });

  test('is told in the next hello', () => {
    const host = welcomedHost();
    const id = host.request();
    rebind(host, [id], 'gr_b', 5_000, 11);
    host.endStream();
    host.advance(500);
    expect(host.hello.sessions).toMatchObject([
      { session: id, grantId: 'gr_b', asOf: 11, remainingMs: expect.any(Number) },
    ]);
  });
});

test('forget is confirmed and cuts nobody', () => {
  const host = welcomedHost();
  const id = host.request();
  const command = host.send({ forget: {} });
  expect(host.told('applied').at(-1)).toEqual({ command });
  expect(host.isCut(id)).toBe(false);
});

describe('a message that cannot be understood', () => {
  const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const broken: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['no protobuf', 'ff'],
    ['a length beyond the end', '227f'],
    ['a number that never ends', '08ffffffffffffffffffffff'],
    ['a group', '2b2c'],
    ['a number of more than 64 bits', '08ffffffffffffffffff7f 4200'],
    ['field zero', '1a02 0001'],
    ['a command in the wrong type', '0a0122'],
    ['no body', '080110'],
    ['two bodies', '2200 4200'],
    ['a body that is not known', '4a00'],
    ['a cut with half a grant', '2203 0a050a'],
    ['a cut of a grant without a name', '2204 0a021001'],
    ['a cut with a session in the wrong type', '2205 1500000000'],
    ['a cut with half a number', '2203 120180'],
    ['an extension without an end', '2a06 0a0467725f61'],
    ['a rebind without a grant', '3202 0801'],
    ['a heartbeat with text', '4202 0a00'],
  ];
  test.each(broken)('(%s) is counted, logged and changes nothing', (_what, hex) => {
    const host = welcomedHost();
    const id = host.request();
    const before = host.told('applied').length;
    host.receive(bytesOf(hex));
    expect(host.isCut(id)).toBe(false);
    expect(host.told('applied').length).toBe(before);
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.malformed).toBe(1);
    expect(host.log.at(-1)).toContain('1 malformed messages');
  });

  test('as a whole changes nothing, however good its beginning', () => {
    const host = welcomedHost();
    const id = host.request();
    // Cut { grants { grant_id: "gr_a" }, and then half a grant }.
    host.receive(bytesOf('100b 220a 0a060a0467725f61 0a05'));
    expect(host.isCut(id)).toBe(false);
    host.receive(bytesOf('100b 2208 0a060a0467725f61'));
    expect(host.isCut(id)).toBe(true);
  });

  test('is logged once a minute at most', () => {
    const host = welcomedHost();
    for (let i = 0; i < 25; i++) {
      host.receive(Buffer.of(255));
      host.send({ heartbeat: {} }, { command: 0 });
      host.advance(2_500, 500);
    }
    expect(host.log.filter((line) => line.includes('malformed')).length).toBe(2);
  });

  test('is no contact', () => {
    const host = welcomedHost();
    const id = host.request();
    host.failing.add('proxy_grpc_cancel');
    for (let i = 0; i < 40; i++) {
      host.receive(Buffer.of(255));
      host.advance(500);
    }
    expect(host.isCut(id)).toBe(true);
  });
});
