import { describe, expect, test } from 'vitest';
import { allow, exportsOfGuard, FakeHost, importsOfGuard, welcomedHost } from './fake-host.js';

const FUNCTIONS = [
  'proxy_log',
  'proxy_set_tick_period_milliseconds',
  'proxy_get_property',
  'proxy_set_property',
  'proxy_get_buffer_bytes',
  'proxy_get_header_map_value',
  'proxy_grpc_stream',
  'proxy_grpc_send',
  'proxy_grpc_cancel',
  'proxy_set_effective_context',
  'proxy_close_stream',
  'random_get',
] as const;

describe('a host function that fails', () => {
  /** All that can happen to a guard, once. */
  function play(host: FakeHost): void {
    host.configure();
    host.send({ welcome: { tickMs: 100 } });
    const id = host.connection();
    host.setMetadata(id, allow(), 'network');
    if (!host.failing.has('proxy_get_property')) host.request({ headers: { upgrade: 'x' } });
    host.advance(1_500);
    host.send({ cut: { grants: [{ grantId: 'gr_a', remainingMs: 1 }] } }, { sequence: 11 });
    if (host.streams.length > 0) host.endStream();
    host.advance(20_000);
    for (const context of host.contexts.keys()) host.done(context);
  }

  test.each(FUNCTIONS)('(%s) makes no trap, and when it works again so does the guard', (name) => {
    const host = new FakeHost();
    // A stream there must be, for the service to speak on.
    host.configure();
    host.failing.add(name);
    play(host);
    host.failing.clear();
    host.configure();
    host.tickPeriods.set(1, 100);
    host.advance(3_000);
    while (!host.stream.isOpen) host.advance(100);
    host.send({ welcome: { tickMs: 100 } });
    const id = host.request({ metadata: allow({ as_of: 12 }) });
    expect(host.context(id).answer).toBeNull();
    host.send({ cut: { sessions: [id] } });
    expect(host.isCut(id)).toBe(true);
  });
});

test('a property that cannot be read lets nobody in', () => {
  const host = welcomedHost();
  host.failing.add('proxy_get_property');
  expect(host.context(host.request()).answer).toMatchObject({ status: 503 });
});

test('a session that Envoy does not know any more is forgotten', () => {
  const host = welcomedHost();
  const id = host.request({ metadata: allow({ remaining_ms: 2_000 }) });
  host.contexts.delete(id);
  host.advance(2_100);
  host.send({ heartbeat: {} }, { command: 0 });
  host.advance(500);
  expect(host.told('heartbeat').at(-1)!.sessions).toBe(0);
});

test('more than the guard can take in one piece is refused, not a trap', () => {
  const host = welcomedHost();
  host.receive(Buffer.alloc(17 << 20));
  host.send({ heartbeat: {} }, { command: 0 });
  host.advance(500);
  expect(host.told('heartbeat').at(-1)!.malformed).toBe(1);
  expect(host.memory).toBeLessThan(4 << 20);
});

test('a large message is carried out, and its room given back', () => {
  const host = welcomedHost();
  const id = host.request();
  const grants = Array.from({ length: 60_000 }, (_, i) => ({ grantId: `gr_${i}`, remainingMs: 1 }));
  host.send({ cut: { grants: [...grants, { grantId: 'gr_a', remainingMs: 1 }] } }, { sequence: 11 });
  expect(host.isCut(id)).toBe(true);
});

test('the guard has no part in the bytes of a session: it has no callback for them', () => {
  expect(exportsOfGuard().sort()).toEqual([
    'memory',
    'proxy_abi_version_0_2_1',
    'proxy_on_configure',
    'proxy_on_done',
    'proxy_on_grpc_close',
    'proxy_on_grpc_receive',
    'proxy_on_memory_allocate',
    'proxy_on_new_connection',
    'proxy_on_request_headers',
    'proxy_on_tick',
    'proxy_on_vm_start',
  ]);
});

test('the guard asks of Envoy what proxy-wasm offers, and nothing else', () => {
  const host = new FakeHost();
  expect(importsOfGuard().filter((name) => !(name in host.env()))).toEqual([]);
});
