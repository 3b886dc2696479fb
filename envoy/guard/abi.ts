// What Envoy offers a Wasm module: proxy-wasm ABI 0.2.1 and two functions of WASI. Each answers 0 when all went well.

@external("env", "proxy_log")
export declare function proxy_log(level: i32, text: usize, length: usize): i32;

@external("env", "proxy_set_tick_period_milliseconds")
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;

@external("env", "proxy_get_property")
export declare function proxy_get_property(path: usize, length: usize, atPointer: usize, atLength: usize): i32;

@external("env", "proxy_set_property")
export declare function proxy_set_property(key: usize, keyLength: usize, value: usize, valueLength: usize): i32;

@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(kind: i32, start: u32, length: u32, atPointer: usize, atLength: usize): i32;

@external("env", "proxy_get_header_map_value")
export declare function proxy_get_header_map_value(map: i32, key: usize, keyLength: usize, atPointer: usize, atLength: usize): i32;

@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(
  status: i32, details: usize, detailsLength: usize, body: usize, bodyLength: usize, headers: usize, headersLength: usize, grpcStatus: i32
): i32;

@external("env", "proxy_grpc_stream")
export declare function proxy_grpc_stream(
  service: usize, serviceLength: usize, name: usize, nameLength: usize, method: usize, methodLength: usize,
  metadata: usize, metadataLength: usize, atStream: usize
): i32;

@external("env", "proxy_grpc_send")
export declare function proxy_grpc_send(stream: u32, message: usize, length: usize, end: i32): i32;

@external("env", "proxy_grpc_cancel")
export declare function proxy_grpc_cancel(stream: u32): i32;

@external("env", "proxy_set_effective_context")
export declare function proxy_set_effective_context(context: u32): i32;

@external("env", "proxy_close_stream")
export declare function proxy_close_stream(kind: i32): i32;

// Clock 0 is wall time, 1 is monotonic time; both in nanoseconds.
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: i32, precision: i64, at: usize): i32;

@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(at: usize, length: usize): i32;
