import { describe, expect, test } from 'vitest';
import { allow, welcomedHost } from './fake-host.js';

describe('a TCP connection', () => {
  test('is known from the first tick after its answer, with its end and its filter state', () => {
    const host = welcomedHost();
    const id = host.connection();
    host.advance(300);
    expect(host.told('opened')).toEqual([]);
    host.setMetadata(id, allow({ remaining_ms: 1_000 }), 'network');
    host.setUpstream(id);
    host.advance(100);
    expect(host.told('opened').map(({ session }) => session)).toMatchObject([
      {
        session: id,
        protocol: 'TCP',
        grantId: 'gr_a',
        downstreamAddress: '192.0.2.1:4000',
        upstreamAddress: '192.0.2.9:5432',
      },
    ]);
    expect(host.context(id).filterState.get('portcullis.grant_id')).toBe('gr_a');
    const { closes } = host.context(id);
    host.advance(1_000);
    expect(closes).toEqual([2]);
    expect(host.told('closed')).toMatchObject([{ session: id, reason: 'EXPIRED' }]);
  });

  test('that has just been let in does not escape a cut', () => {
    const host = welcomedHost();
    const id = host.connection();
    host.setMetadata(id, allow(), 'network');
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: 60_000 }] } }, { sequence: 11 });
    expect(host.isCut(id)).toBe(true);
    expect(host.told('closed')).toMatchObject([{ session: id, reason: 'CUT' }]);
  });

  test('does not escape a cut among very many that are silent', () => {
    const host = welcomedHost();
    const ids = Array.from({ length: 3_000 }, () => host.connection());
    const last = ids.at(-1)!;
    host.setMetadata(last, allow(), 'network');
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: 60_000 }] } }, { sequence: 11 });
    expect(ids.filter((id) => host.isCut(id))).toEqual([last]);
  });

  test('among very many that are silent has its turn within a second or two', () => {
    const host = welcomedHost();
    const ids = Array.from({ length: 3_000 }, () => host.connection());
    for (const id of ids.slice(-1)) host.setMetadata(id, allow(), 'network');
    host.advance(1_600);
    expect(host.told('opened').map(({ session }) => session.session)).toContain(ids.at(-1));
  });

  test('that has been denied is left to ext_authz', () => {
    const host = welcomedHost();
    const id = host.connection();
    host.setMetadata(id, { reason: 'no_grant', decision_id: 'dec_1' }, 'network');
    host.advance(1_000);
    expect(host.isCut(id)).toBe(false);
    host.done(id);
    host.advance(500);
    expect(host.told('heartbeat').at(-1)).toMatchObject({ sessions: 0, refused: { noEnd: 0 } });
    expect(host.told('closed')).toEqual([]);
  });

  test.each([
    ['nobody has asked for', null],
    ['was denied', { reason: 'no_grant' }],
  ])('that %s is cut as soon as it has an upstream', (_what, metadata) => {
    const host = welcomedHost();
    const id = host.connection();
    if (metadata) host.setMetadata(id, metadata, 'network');
    host.setUpstream(id);
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
    host.advance(500);
    expect(host.told('heartbeat').at(-1)!.refused.noEnd).toBe(1);
  });

  test.each([
    ['no end', { grant_id: 'gr_a', decision_id: 'dec_1', as_of: 10 }],
    ['an odd end', allow({ ends_at: NaN })],
  ])('with an answer that has %s is cut at the next tick', (_what, metadata) => {
    const host = welcomedHost();
    const id = host.connection();
    host.setMetadata(id, metadata, 'network');
    host.advance(100);
    expect(host.isCut(id)).toBe(true);
  });

  test('whose access has ended by the time of its answer is cut at the next tick', () => {
    const host = welcomedHost();
    const id = host.connection();
    host.setMetadata(id, allow({ remaining_ms: 0 }), 'network');
    host.advance(600);
    expect(host.isCut(id)).toBe(true);
    expect(host.told('heartbeat').at(-1)!.refused.expired).toBe(1);
  });

  test('beyond the number of sessions that the guard may hold is closed at once', () => {
    const host = welcomedHost({ maxSessions: 1 });
    host.request();
    expect(host.isCut(host.connection())).toBe(true);
  });

  test('that waits for its answer takes nobody’s place, and has none for sure', () => {
    const host = welcomedHost({ maxSessions: 2 });
    const ids = [host.connection(), host.connection(), host.connection()];
    expect(ids.some((id) => host.isCut(id))).toBe(false);
    for (const id of ids) host.setMetadata(id, allow(), 'network');
    host.advance(100);
    expect(ids.filter((id) => host.isCut(id)).length).toBe(1);
  });

  test('that was never judged ends without a word', () => {
    const host = welcomedHost();
    host.done(host.connection());
    host.advance(500);
    expect(host.told('closed')).toEqual([]);
    expect(host.told('heartbeat').at(-1)!.sessions).toBe(0);
  });
});
