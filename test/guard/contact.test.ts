import { describe, expect, test } from 'vitest';
import { allow, FakeHost, welcomedHost } from './fake-host.js';

const GRACE = 15_000;

/** Time in which the service is heard as it should be. */
function live(host: FakeHost, ms: number): void {
  for (let left = ms; left > 0; left -= 500) {
    host.send({ heartbeat: {} }, { command: 0 });
    host.advance(Math.min(left, 500));
  }
}

describe('the first message', () => {
  test('on a stream to the cluster of the configuration says who the guard is', () => {
    const host = new FakeHost();
    host.configure('{"cluster": "portcullis-guard"}');
    expect(host.stream.method).toBe('portcullis.guard.v1.Guard/Watch');
    expect(host.stream.target.toString('latin1')).toBe('\n\x12\n\x10portcullis-guard');
    expect(host.hello).toMatchObject({
      protocol: 1,
      attempt: 0,
      nodeId: 'envoy-1',
      nodeCluster: 'tests',
      sessions: [],
      more: false,
    });
    expect(host.hello.guardId).toMatch(/^[0-9a-f]{32}$/);
    expect(host.hello.wallMs).toBe(host.wall);
  });

  test('on each later stream holds all live sessions, told before or not, and counts the attempts', () => {
    const host = welcomedHost();
    const [old, gone] = [host.request({ headers: { upgrade: 'x' } }), host.request()];
    live(host, 1_500);
    host.done(gone);
    const now = host.request({ metadata: allow({ grant_id: 'gr_b', remaining_ms: 9_000 }) });
    host.endStream();
    host.advance(300);
    expect(host.streams.length).toBe(2);
    expect(host.hello.attempt).toBe(1);
    expect(new Set(host.hello.sessions.map(({ session }) => session))).toEqual(new Set([old, now]));
    expect(host.hello.sessions.find(({ session }) => session === now)!.remainingMs).toBeGreaterThan(8_000);
    host.done(now);
    expect(host.stream.told.at(-1)!.closed).toMatchObject({ session: now });
  });

  test('is spread over several when there are many sessions', () => {
    const host = welcomedHost();
    for (let i = 0; i < 2_500; i++) host.request();
    host.endStream();
    host.advance(200);
    const hellos = host.stream.told.flatMap(({ hello }) => hello ?? []);
    expect(hellos.map(({ sessions, more }) => [sessions.length, more])).toEqual([
      [1_000, true],
      [1_000, true],
      [500, false],
    ]);
    expect(new Set(hellos.flatMap(({ sessions }) => sessions.map(({ session }) => session))).size).toBe(2_500);
  });

  test('has another guard id in each guard', () => {
    const ids = Array.from({ length: 20 }, () => {
      const host = new FakeHost();
      host.configure();
      return host.hello.guardId;
    });
    expect(new Set(ids).size).toBe(20);
  });
});

describe('configuration', () => {
  const struct = (...fields: [string, string][]) => {
    const part = (field: number, bytes: Buffer) => Buffer.concat([Buffer.of(field * 8 + 2, bytes.length), bytes]);
    return Buffer.concat(
      fields.map(([key, value]) =>
        part(1, Buffer.concat([part(1, Buffer.from(key)), part(2, part(3, Buffer.from(value)))])),
      ),
    );
  };

  test.each([
    ['JSON', '{"cluster":"c1"}'],
    ['JSON with space', ' \n{ "cluster" :\t"c1" } '],
    ['a Struct', struct(['cluster', 'c1'])],
  ])('may be %s', (_form, configuration) => {
    const host = new FakeHost();
    expect(host.configure(configuration)).toBe(true);
    expect(host.stream.target.toString('latin1')).toBe('\n\x04\n\x02c1');
  });

  test.each([
    ['nothing', ''],
    ['no object', '"cluster"'],
    ['an empty object', '{}'],
    ['another key', '{"clutser":"c1"}'],
    ['one key too many', '{"cluster":"c1","grace":"1s"}'],
    ['no name', '{"cluster":""}'],
    ['a number', '{"cluster":1}'],
    ['an escape', '{"cluster":"c\\u0031"}'],
    ['half an object', '{"cluster":"c1"'],
    ['something behind it', '{"cluster":"c1"} x'],
    ['a Struct with another key', struct(['cluster', 'c1'], ['x', 'y'])],
    ['half a Struct', struct(['cluster', 'c1']).subarray(0, -1)],
    ['bytes', Buffer.of(255, 254)],
  ])('of %s is refused, and says so', (_what, configuration) => {
    const host = new FakeHost();
    expect(host.configure(configuration)).toBe(false);
    expect(host.log.join('\n')).toContain("the guard's configuration");
    expect(host.streams).toEqual([]);
  });
});

describe('heartbeats', () => {
  test('go out every 500 ms, from the welcome on', () => {
    const host = new FakeHost();
    host.configure();
    host.advance(1_000);
    expect(host.told('heartbeat').length).toBe(0);
    host.send({ welcome: {} });
    live(host, 5_000);
    expect(host.told('heartbeat').length).toBe(10);
    expect(host.told('heartbeat').at(-1)).toMatchObject({ sessions: 0, memory: host.memory });
  });
});

describe('silence', () => {
  test('of the grace cuts nobody; longer cuts all, of every kind', () => {
    const host = welcomedHost();
    const ids = [host.request(), host.request({ headers: { upgrade: 'x' } }), host.connection()];
    const judged = host.connection();
    host.setMetadata(judged, allow(), 'network');
    host.failing.add('proxy_grpc_stream');
    host.advance(GRACE);
    expect([...ids, judged].some((id) => host.isCut(id))).toBe(false);
    host.advance(100);
    expect([...ids, judged].every((id) => host.isCut(id))).toBe(true);
    expect(host.log.join('\n')).toContain('contact with the service is lost');
  });

  test('of the grace turns away what is new, until the service has welcomed the guard again', () => {
    const host = welcomedHost();
    host.endStream();
    host.advance(GRACE + 100);
    expect(host.context(host.request()).answer).toMatchObject({
      status: 503,
      details: 'portcullis_guard_contact_lost',
    });
    expect(host.isCut(host.connection())).toBe(true);
    while (!host.stream.isOpen) host.advance(100);
    host.send({ heartbeat: {} }, { command: 0 });
    expect(host.context(host.request()).answer).toMatchObject({ status: 503 });
    host.send({ welcome: {} });
    expect(host.context(host.request()).answer).toBeNull();
  });

  test('counts before the first welcome, too', () => {
    const host = new FakeHost();
    host.configure();
    host.advance(GRACE);
    const id = host.request();
    expect(host.context(id).answer).toBeNull();
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
    expect(host.context(host.request()).answer).toMatchObject({ status: 503 });
  });

  test('has the grace that the welcome says, within reason', () => {
    for (const [said, cutAfter] of [
      [3_000, 3_000],
      [1, 1_000],
      [0, GRACE],
    ] as const) {
      const host = welcomedHost({ contactGraceMs: said });
      const id = host.request();
      host.failing.add('proxy_grpc_stream');
      host.advance(cutAfter);
      expect(host.isCut(id)).toBe(false);
      host.advance(100);
      expect(host.isCut(id)).toBe(true);
    }
  });

  test('on a stream that is still there gives the stream up long before', () => {
    const host = welcomedHost();
    host.advance(3_000);
    expect(host.streams.length).toBe(1);
    host.advance(400);
    expect(host.streams.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  });

  test('instead of a welcome gives the stream up', () => {
    const host = new FakeHost();
    host.configure();
    host.advance(2_400);
    expect(host.streams.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  });

  test('that ends within the grace cuts nobody', () => {
    const host = welcomedHost();
    const id = host.request();
    host.endStream();
    host.advance(GRACE - 3_000);
    while (!host.stream.isOpen) host.advance(100);
    host.send({ welcome: {} });
    live(host, GRACE);
    expect(host.isCut(id)).toBe(false);
  });

  test('is not ended by messages on an old stream', () => {
    const host = welcomedHost();
    const id = host.request();
    const old = host.stream;
    host.endStream();
    for (let i = 0; i < 32; i++) {
      host.send({ heartbeat: {} }, { command: 0, stream: old });
      host.advance(500);
    }
    expect(host.isCut(id)).toBe(true);
  });
});

test('what an old stream still says counts for nothing', () => {
  const host = welcomedHost();
  const old = host.stream;
  host.endStream();
  host.advance(300);
  host.send({ welcome: {} });
  const id = host.request();
  const streams = host.streams.length;
  host.send({ cut: { sessions: [id] } }, { stream: old });
  host.endStream(old);
  host.advance(1_000);
  expect(host.isCut(id)).toBe(false);
  expect(host.streams.length).toBe(streams);
});

describe('attempts', () => {
  test('come soon at first and ever later, without a storm', () => {
    const host = welcomedHost();
    host.endStream();
    for (let i = 0; i < 600; i++) {
      host.advance(100);
      if (host.stream.isOpen) host.endStream();
    }
    const opened = host.streams.slice(1).map(({ openedAt }) => openedAt);
    const waits = opened.slice(1).map((at, i) => at - opened[i]!);
    expect(opened[0]! - host.streams[0]!.openedAt).toBeLessThanOrEqual(200);
    expect(waits[0]).toBeLessThanOrEqual(300);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2_100);
    expect(Math.min(...waits.slice(5))).toBeGreaterThanOrEqual(1_000);
    expect(opened.length).toBeLessThan(60);
  });

  test('of many guards do not come at the same moment', () => {
    const moments = Array.from({ length: 40 }, () => {
      const host = welcomedHost();
      for (let i = 0; i < 6; i++) {
        host.endStream();
        while (!host.stream.isOpen) host.advance(10, 10);
      }
      return host.stream.openedAt;
    });
    expect(new Set(moments).size).toBeGreaterThan(15);
  });

  test('that a service welcomes and drops again at once go on getting rarer', () => {
    const host = welcomedHost();
    for (let i = 0; i < 600; i++) {
      if (host.stream.isOpen) {
        host.send({ welcome: {} });
        host.endStream();
      }
      host.advance(100);
    }
    expect(host.streams.length).toBeLessThan(65);
  });

  test('begin anew after a contact that held', () => {
    const host = welcomedHost();
    for (let i = 0; i < 8; i++) {
      host.endStream();
      host.advance(2_100);
    }
    host.send({ welcome: {} });
    live(host, 3_000);
    const before = host.streams.length;
    host.endStream();
    host.advance(200);
    expect(host.streams.length).toBe(before + 1);
  });

  test('go on when Envoy does not know the cluster yet', () => {
    const host = new FakeHost();
    host.failing.add('proxy_grpc_stream');
    expect(host.configure()).toBe(true);
    host.advance(1_000);
    host.failing.clear();
    host.advance(2_100);
    expect(host.stream.isOpen).toBe(true);
    expect(host.hello.attempt).toBe(0);
  });
});

describe('plugins of one VM', () => {
  test('share one stream', () => {
    const host = welcomedHost();
    host.configure('{"cluster": "portcullis-guard"}', 2);
    host.advance(1_000);
    expect(host.streams.length).toBe(1);
  });

  test('pass the contact on when the one that has it is gone, and keep all sessions', () => {
    const host = welcomedHost();
    const id = host.request({ headers: { upgrade: 'x' } });
    host.configure('{"cluster": "other"}', 2);
    host.done(1);
    expect(host.stream).toMatchObject({ root: 2, isOpen: true });
    expect(host.stream.target.toString()).toContain('other');
    expect(host.hello.sessions).toMatchObject([{ session: id }]);
    expect(host.tickPeriods.get(2)).toBe(100);
    host.send({ welcome: {} });
    host.send({ cut: { sessions: [id] } });
    expect(host.isCut(id)).toBe(true);
    live(host, 1_000);
    expect(host.told('heartbeat').length).toBeGreaterThan(0);
  });

  test('do not disturb the contact when another one goes', () => {
    const host = welcomedHost();
    host.configure('{"cluster": "portcullis-guard"}', 2);
    host.done(2);
    live(host, 1_000);
    expect(host.streams.length).toBe(1);
  });
});

test('the tick has the period that the welcome says, within reason', () => {
  for (const [said, period] of [
    [50, 50],
    [0, 100],
    [1, 10],
    [60_000, 1_000],
  ]) {
    expect(welcomedHost({ tickMs: said! }).tickPeriods.get(1)).toBe(period);
  }
});
