import { status, type handleServerStreamingCall, type handleUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';

/** grpc.health.v1, for Envoy's health checks of the cluster and for probes. */
export interface Health {
  set(serving: boolean): void;
  readonly implementation: {
    readonly Check: handleUnaryCall<HealthRequest, HealthResponse>;
    readonly Watch: handleServerStreamingCall<HealthRequest, HealthResponse>;
  };
}

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

/** `services` are the names it answers for, besides the empty one that stands for the whole server. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(['', ...services]);
  const watchers = new Set<ServerWritableStream<HealthRequest, HealthResponse>>();
  let serving = false;

  const now = (service: string): HealthResponse => ({
    status: known.has(service) ? (serving ? 'SERVING' : 'NOT_SERVING') : 'SERVICE_UNKNOWN',
  });

  return {
    set(next) {
      if (next === serving) return;
      serving = next;
      for (const watcher of watchers) watcher.write(now(watcher.request.service));
    },
    implementation: {
      Check(call, callback) {
        const { service } = call.request;
        if (known.has(service)) callback(null, now(service));
        else callback({ code: status.NOT_FOUND, details: `unknown service ${JSON.stringify(service)}` });
      },
      Watch(call) {
        watchers.add(call);
        for (const end of ['close', 'cancelled', 'error'] as const) call.on(end, () => watchers.delete(call));
        call.write(now(call.request.service));
      },
    },
  };
}
