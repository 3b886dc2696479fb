import * as abi from './abi';
import { Text } from './text';

// Two words in which Envoy says where it has put what was asked for.
const cell = heap.alloc(16);

/** Of what the last successful call brought. Good until the next call. */
export let gotAt: usize = 0;
export let gotLength: u32 = 0;

function took(result: i32): bool {
  if (result != 0) return false;
  gotAt = load<u32>(cell);
  gotLength = load<u32>(cell, 4);
  return true;
}

function clear(): void {
  store<u64>(cell, 0);
}

/** A property of the effective context. */
export function property(path: Text): bool {
  clear();
  return took(abi.proxy_get_property(path.at, path.length, cell, cell + 4));
}

/** A property that is a whole number; `otherwise` when there is none. */
export function numberProperty(path: Text, otherwise: u64): u64 {
  return property(path) && gotLength == 8 ? load<u64>(gotAt) : otherwise;
}

/** A header of the request, only while Envoy asks about its headers. */
export function requestHeader(name: Text): bool {
  clear();
  return took(abi.proxy_get_header_map_value(0, name.at, name.length, cell, cell + 4));
}

const PLUGIN_CONFIGURATION = 7;
const GRPC_MESSAGE = 5;

/** The configuration of the plugin whose root is being configured. */
export function pluginConfiguration(length: u32): bool {
  clear();
  return took(abi.proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, length, cell, cell + 4));
}

/** The message that has just arrived on a stream. */
export function message(length: u32): bool {
  clear();
  return took(abi.proxy_get_buffer_bytes(GRPC_MESSAGE, 0, length, cell, cell + 4));
}

/** Filter state of the effective context: access logs print it as `FILTER_STATE(wasm.<key>)`. */
export function setFilterState(key: Text, value: usize, length: u32): void {
  abi.proxy_set_property(key.at, key.length, value, length);
}

/** The context that calls speak of. */
export let spokenOf: u32 = 0;

/** Envoy itself has chosen the context: it does so before it asks something, and again when it goes on. */
export function nowSpeaksOf(context: u32): void {
  spokenOf = context;
}

/** From here on calls speak of this context. False: it is gone. */
export function speakOf(context: u32): bool {
  if (context == spokenOf) return true;
  if (abi.proxy_set_effective_context(context) != 0) return false;
  spokenOf = context;
  return true;
}

const WHOLE_STREAM = 0;
const DOWNSTREAM_CONNECTION = 2;

/** Ends the HTTP stream that is spoken of. */
export function resetStream(): bool {
  return abi.proxy_close_stream(WHOLE_STREAM) == 0;
}

/** Ends the connection that is spoken of. */
export function closeConnection(): bool {
  return abi.proxy_close_stream(DOWNSTREAM_CONNECTION) == 0;
}

const NO_GRPC_STATUS = -1;

/** Answers the request that is spoken of in place of the upstream. `headers` are pairs as Envoy writes them. */
export function answer(status: i32, details: Text, body: Text, headers: usize, headersLength: u32): void {
  abi.proxy_send_local_response(
    status,
    details.at,
    details.length,
    body.at,
    body.length,
    headers,
    headersLength,
    NO_GRPC_STATUS,
  );
}

/** Opens a gRPC stream; 0 when Envoy will not. `target` is an `envoy.config.core.v3.GrpcService`. */
export function openStream(target: usize, targetLength: u32, service: Text, method: Text): u32 {
  // No pairs of metadata: their number, zero, comes first.
  store<u32>(cell, 0, 8);
  clear();
  const result = abi.proxy_grpc_stream(
    target,
    targetLength,
    service.at,
    service.length,
    method.at,
    method.length,
    cell + 8,
    4,
    cell,
  );
  return result == 0 ? load<u32>(cell) : 0;
}

export function sendOnStream(stream: u32, at: usize, length: u32): bool {
  return abi.proxy_grpc_send(stream, at, length, 0) == 0;
}

export function cancelStream(stream: u32): void {
  abi.proxy_grpc_cancel(stream);
}

export function tickEvery(milliseconds: u32): void {
  abi.proxy_set_tick_period_milliseconds(milliseconds);
}

const WALL = 0;
const MONOTONIC = 1;

/** Wall clock of Envoy's host, milliseconds since the epoch. For telling people, and for nothing else. */
export function wallMs(): i64 {
  return clock(WALL);
}

/** Milliseconds since some moment; never steps. */
export function monotonicMs(): i64 {
  return clock(MONOTONIC);
}

function clock(which: i32): i64 {
  clear();
  abi.clock_time_get(which, 0, cell);
  return <i64>(load<u64>(cell) / 1_000_000);
}

export function randomBytes(at: usize, length: u32): void {
  abi.random_get(at, length);
}

const INFO = 2;
const WARNING = 3;

export function logInfo(text: string): void {
  log(INFO, text);
}

export function logWarning(text: string): void {
  log(WARNING, text);
}

function log(level: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  abi.proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
}
