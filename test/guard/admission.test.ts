import { describe, expect, test } from 'vitest';
import { allow, FakeHost, pairs, welcomedHost, type Metadata } from './fake-host.js';

describe('a request', () => {
  test('that ext_authz has let in goes on, and its grant and decision are in filter state', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ grant_id: 'gr_x', decision_id: 'dec_x' }) });
    expect(host.context(id).answer).toBeNull();
    expect(Object.fromEntries(host.context(id).filterState)).toEqual({
      'portcullis.grant_id': 'gr_x',
      'portcullis.decision_id': 'dec_x',
    });
  });

  const odd: readonly (readonly [string, Metadata])[] = [
    ['no metadata', null],
    ['metadata without a grant', { decision_id: 'dec_1', reason: 'no_grant' }],
    ['an empty grant', allow({ grant_id: '' })],
    ['a grant id that is no id of ours', allow({ grant_id: 'g'.repeat(65) })],
    ['a decision id that is no id of ours', allow({ decision_id: 'd'.repeat(65) })],
    ['a grant and nothing else', { grant_id: 'gr_a' }],
    ['the end as text', allow({ ends_at: 'tomorrow' })],
    ['the end 0', allow({ ends_at: 0 })],
    ['the end NaN', allow({ ends_at: NaN })],
    ['an end before the epoch', allow({ ends_at: -1 })],
    ['an endless end', allow({ ends_at: Infinity })],
    ['remaining time NaN', allow({ remaining_ms: NaN })],
    ['endless remaining time', allow({ remaining_ms: Infinity })],
    ['remaining time below everything', allow({ remaining_ms: -Infinity })],
    ['remaining time beyond the longest grant', allow({ remaining_ms: 7 * 86_400_000 + 1 })],
    ['remaining time as a yes', allow({ remaining_ms: true })],
    ['no change sequence', { ...allow(), as_of: '' }],
    ['a change sequence below zero', allow({ as_of: -1 })],
    ['a change sequence that is no whole number any more', allow({ as_of: 2 ** 60 })],
  ];
  test.each(odd)('with %s is answered 503, with a word about where the guard must stand', (_what, metadata) => {
    const host = welcomedHost();
    const { answer } = host.context(host.request({ metadata }));
    expect(answer).toMatchObject({ status: 503, details: 'portcullis_guard_no_answer' });
    expect(answer!.body).toContain('directly behind the ext_authz filter');
    expect(answer!.headers).toEqual(pairs({ 'x-portcullis-reason': 'guard_not_ready' }));
    host.advance(600);
    expect(host.told('heartbeat').at(-1)).toMatchObject({ sessions: 0, refused: { noEnd: 1 } });
  });

  test('whose metadata is no map is answered 503', () => {
    const whole = pairs(allow());
    const host = welcomedHost();
    for (let length = 0; length < whole.length; length++) {
      const tooMany = Buffer.concat([Buffer.from('ffffffff', 'hex'), whole.subarray(4, length)]);
      for (const raw of [whole.subarray(0, length), tooMany])
        expect(host.context(host.request({ raw })).answer).toMatchObject({ status: 503 });
    }
    expect(host.context(host.request({ raw: whole })).answer).toBeNull();
  });

  test('whose access has ended by now is answered 403', () => {
    const host = welcomedHost();
    expect(host.context(host.request({ metadata: allow({ remaining_ms: 1 }) })).answer).toBeNull();
    for (const remaining_ms of [0, -5]) {
      const { answer } = host.context(host.request({ metadata: allow({ remaining_ms }) }));
      expect(answer).toMatchObject({ status: 403, details: 'portcullis_guard_expired' });
    }
  });

  test('beyond the number of sessions that the guard may hold is answered 503', () => {
    const host = welcomedHost({ maxSessions: 2 });
    const first = host.request();
    host.request();
    expect(host.context(host.request()).answer).toMatchObject({ status: 503, details: 'portcullis_guard_overloaded' });
    host.done(first);
    expect(host.context(host.request()).answer).toBeNull();
  });

  test('keeps the answer it came with, whatever other filters write later', () => {
    const host = welcomedHost();
    const id = host.request({ metadata: allow({ remaining_ms: 300 }) });
    host.setMetadata(id, allow({ grant_id: 'gr_other', remaining_ms: 3_600_000 }));
    host.advance(300);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('opened').at(-1)!.session.grantId).toBe('gr_a');
  });
});

describe('the service is told', () => {
  const openedAtOnce = (headers: Record<string, string>, source?: string) => {
    const host = welcomedHost();
    host.request({ headers, ...(source !== undefined && { source }) });
    return host.told('opened').map(({ session }) => session);
  };

  test('of plain HTTP when it has lived for a second', () => {
    const host = welcomedHost();
    const id = host.request();
    host.setUpstream(id);
    host.advance(900);
    expect(host.told('opened')).toEqual([]);
    host.advance(100);
    expect(host.told('opened').map(({ session }) => session)).toEqual([
      {
        session: id,
        grantId: 'gr_a',
        decisionId: 'dec_1',
        asOf: 10,
        protocol: 'HTTP',
        downstreamAddress: '192.0.2.1:4000',
        upstreamAddress: '192.0.2.9:5432',
        startedMs: Date.UTC(2026, 0, 1),
        remainingMs: 59_000,
        bytesReceived: 0,
        bytesSent: 0,
      },
    ]);
  });

  test('never of plain HTTP that was shorter', () => {
    const host = welcomedHost();
    host.done(host.request());
    host.advance(2_000);
    expect([...host.told('opened'), ...host.told('closed')]).toEqual([]);
  });

  test('of an upgrade at once', () => {
    expect(openedAtOnce({ upgrade: 'websocket' })).toMatchObject([
      { protocol: 'UPGRADE', downstreamAddress: '192.0.2.1:4000' },
    ]);
  });

  test('of a session of the gate at once, with the address that the listener in front has written', () => {
    const headers = { ':method': 'CONNECT', 'x-portcullis-source': '198.51.100.7:999' };
    expect(openedAtOnce(headers, 'envoy://internal_client_address/')).toMatchObject([
      { protocol: 'GATE', downstreamAddress: '198.51.100.7:999' },
    ]);
  });

  test('of a session of the gate without that address as of one from nowhere', () => {
    const opened = openedAtOnce({ ':method': 'CONNECT' }, 'envoy://internal_client_address/');
    expect(opened).toMatchObject([{ protocol: 'GATE', downstreamAddress: '' }]);
  });

  test('of a CONNECT from the network as of an upgrade, with the address that it really has', () => {
    const headers = { ':method': 'CONNECT', 'x-portcullis-source': '198.51.100.7:999' };
    expect(openedAtOnce(headers)).toMatchObject([{ protocol: 'UPGRADE', downstreamAddress: '192.0.2.1:4000' }]);
  });

  test('of a session with an address that is too long, which is cut short', () => {
    expect(openedAtOnce({ upgrade: 'x' }, 'x'.repeat(500))).toMatchObject([{ downstreamAddress: 'x'.repeat(56) }]);
  });

  test('once more when the upstream has become known', () => {
    const host = welcomedHost();
    const id = host.request({ headers: { upgrade: 'websocket' } });
    host.setUpstream(id);
    host.advance(1_000);
    expect(host.told('opened').map(({ session }) => session.upstreamAddress)).toEqual(['', '192.0.2.9:5432']);
  });

  test('at once when it may know something newer than the answer did', () => {
    const host = welcomedHost();
    host.send({ heartbeat: {} }, { command: 0, sequence: 12 });
    const older = host.request({ metadata: allow({ as_of: 11 }) });
    host.request({ metadata: allow({ as_of: 12 }) });
    expect(host.told('opened').map(({ session }) => session.session)).toEqual([older]);
  });

  test('at once while it has not welcomed the guard', () => {
    const host = new FakeHost();
    host.configure();
    const id = host.request();
    expect(host.told('opened').map(({ session }) => session.session)).toEqual([id]);
  });

  test('of the end of each session that it knows, once, with its bytes', () => {
    const host = welcomedHost();
    const id = host.request({ headers: { upgrade: 'websocket' } });
    host.setBytes(id, 12, 34_000_000_000);
    host.done(id);
    host.done(id);
    expect(host.told('closed')).toEqual([
      { session: id, reason: 'PEER', bytesReceived: 12, bytesSent: 34_000_000_000, endedMs: Date.UTC(2026, 0, 1) },
    ]);
  });

  test('of bytes that have moved since the last heartbeat', () => {
    const host = welcomedHost();
    const [idle, busy] = [host.request(), host.request()];
    host.setBytes(idle, 0, 0);
    host.setBytes(busy, 5, 7);
    host.advance(1_500);
    expect(host.told('heartbeat').at(-1)!.traffic).toEqual([{ session: busy, bytesReceived: 5, bytesSent: 7 }]);
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.traffic).toEqual([]);
    host.setBytes(idle, 1, 0);
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.traffic).toEqual([{ session: idle, bytesReceived: 1, bytesSent: 0 }]);
  });

  test('of the bytes of very many sessions in turn', () => {
    const host = welcomedHost();
    const ids = Array.from({ length: 450 }, () => host.request());
    host.advance(1_000);
    for (const id of ids) host.setBytes(id, 1, 1);
    const heard = () => new Set(host.told('heartbeat').flatMap(({ traffic }) => traffic.map(({ session }) => session)));
    host.advance(500);
    expect(heard().size).toBe(200);
    host.advance(1_000);
    expect(heard()).toEqual(new Set(ids));
  });
});
