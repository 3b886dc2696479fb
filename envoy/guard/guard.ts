// The guard: it knows the sessions that run through this worker thread of Envoy, and ends each at the moment its access ends.
//
// Envoy calls what is exported here (proxy-wasm ABI 0.2.1), never two at a time. The same binary is an HTTP filter and a network
// filter: the first hears of requests, the second of connections. Callbacks with data are left out, so no bytes of a session
// come through here.
import { settle } from './admission';
import { configurationError, readCluster } from './configuration';
import { hear } from './commands';
import * as contact from './contact';
import { countMalformed, logCounts } from './counts';
import { cutDue, forgetOver, markOver } from './cutting';
import { forgetTombstones } from './grant';
import * as host from './host';
import { identify } from './identity';
import { onRequest } from './http';
import { judgeSome, onConnection } from './network';
import { addPlugin, isPlugin, ownerRoot, removePlugin } from './plugins';
import { freeKept, keep, roomFor } from './received';
import { EXPIRED } from './session';
import { findSession } from './sessions';
import { tickOwner } from './stream';
import { readBytes } from './tell';

const CONTINUE = 0;
const PAUSE = 1;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(length: u32): usize {
  return roomFor(length);
}

export function proxy_on_vm_start(_context: u32, _length: u32): i32 {
  return 1;
}

/** 0: Envoy refuses the configuration. */
export function proxy_on_configure(root: u32, length: u32): i32 {
  const before = enter(root);
  const isTaken = configure(root, length);
  leave(before);
  return isTaken ? 1 : 0;
}

export function proxy_on_tick(root: u32): void {
  if (root != ownerRoot()) return;
  const before = enter(root);
  const now = host.monotonicMs();
  judgeSome(now);
  cutDue(EXPIRED, now);
  contact.tick(now, host.wallMs());
  settle(now);
  forgetTombstones(now);
  logCounts(now);
  leave(before);
}

export function proxy_on_new_connection(context: u32): i32 {
  const before = enter(context);
  onConnection(context, host.monotonicMs());
  leave(before);
  return CONTINUE;
}

export function proxy_on_request_headers(context: u32, _count: u32, _isLast: i32): i32 {
  const before = enter(context);
  const mayGoOn = onRequest(context, host.monotonicMs());
  leave(before);
  return mayGoOn ? CONTINUE : PAUSE;
}

/** A stream, a connection or a plugin is over. */
export function proxy_on_done(context: u32): i32 {
  const before = enter(context);
  const session = findSession(context);
  if (session) {
    // Nobody hears of the others, and each costs two calls of Envoy.
    if (session.told) readBytes(session);
    markOver(session);
  } else if (isPlugin(context)) pluginGone(context);
  leave(before);
  return 1;
}

export function proxy_on_grpc_receive(root: u32, stream: u32, length: u32): void {
  if (!contact.isCurrent(stream)) return;
  const before = enter(root);
  const now = host.monotonicMs();
  if (host.message(length)) {
    const size = host.gotLength;
    const message = keep(host.gotAt, size);
    hear(message, size, now);
    freeKept();
  } else countMalformed();
  leave(before);
}

export function proxy_on_grpc_close(root: u32, stream: u32, _status: u32): void {
  const before = enter(root);
  contact.streamClosed(stream, host.monotonicMs());
  leave(before);
}

// How many calls of Envoy are going on: while it is asked to close something, it may say at once that it is closed.
let calls = 0;

function enter(context: u32): u32 {
  const before = host.spokenOf;
  calls++;
  host.nowSpeaksOf(context);
  return before;
}

function leave(before: u32): void {
  if (calls == 1) forgetOver();
  calls--;
  host.nowSpeaksOf(before);
}

function configure(root: u32, length: u32): bool {
  const cluster = host.pluginConfiguration(length) ? readCluster(host.gotAt, host.gotLength) : readCluster(0, 0);
  if (!cluster) {
    host.logWarning(configurationError);
    return false;
  }
  addPlugin(root, cluster);
  if (ownerRoot() == root) tickOwner();
  contact.begin(identify, host.monotonicMs(), host.wallMs());
  return true;
}

function pluginGone(root: u32): void {
  if (!removePlugin(root)) return;
  tickOwner();
  contact.ownerGone(host.monotonicMs());
}
