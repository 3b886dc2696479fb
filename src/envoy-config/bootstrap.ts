import { serviceCluster } from './clusters.js';
import { MAX_CONNECTIONS, MAX_HEAP_BYTES } from './limits.js';
import { extension, socketAddress, watchedFile, type Message } from './message.js';
import { AUTHZ_CLUSTER, GUARD_CLUSTER } from './names.js';
import type { EnvoyOptions } from './options.js';

/** What Envoy is started with: what no resource changes, and where the rest is read from. */
export function bootstrap({ admin, authz, guard, folder }: EnvoyOptions): Message {
  return {
    // Envoy asks for both before it reads files; --service-node and --service-cluster say better.
    node: { id: 'portcullis', cluster: 'portcullis' },
    bootstrap_extensions: [
      extension('envoy.bootstrap.internal_listener', 'extensions.bootstrap.internal_listener.v3.InternalListener'),
    ],
    admin: {
      address:
        admin.kind === 'unix' ? { pipe: { path: admin.path, mode: 0o600 } } : socketAddress(admin.host, admin.port),
      ignore_global_conn_limit: true,
    },
    overload_manager: OVERLOAD,
    static_resources: { clusters: [serviceCluster(AUTHZ_CLUSTER, authz), serviceCluster(GUARD_CLUSTER, guard)] },
    dynamic_resources: {
      lds_config: watchedFile(folder, 'lds.yaml'),
      cds_config: watchedFile(folder, 'cds.yaml'),
    },
  };
}

/** At its limits Envoy turns away what is new. Nothing here lets anything through. */
const OVERLOAD: Message = {
  refresh_interval: '0.25s',
  resource_monitors: [
    extension(
      'envoy.resource_monitors.global_downstream_max_connections',
      'extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
      { max_active_downstream_connections: MAX_CONNECTIONS },
    ),
    extension('envoy.resource_monitors.fixed_heap', 'extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig', {
      max_heap_size_bytes: MAX_HEAP_BYTES,
    }),
  ],
  actions: ['stop_accepting_requests', 'stop_accepting_connections'].map((action) => ({
    name: `envoy.overload_actions.${action}`,
    triggers: [{ name: 'envoy.resource_monitors.fixed_heap', threshold: { value: 0.95 } }],
  })),
};
