import { extension, type Message } from './message.js';
import { GUARD, GUARD_CLUSTER } from './names.js';
import type { EnvoyOptions } from './options.js';

type Given = Pick<EnvoyOptions, 'guardWasm'>;

/** The session guard for HTTP, and for the gate. Right behind what judges: it reads the answer and lets nothing in without. */
export function httpGuard(given: Given): Message {
  return extension(GUARD, 'extensions.filters.http.wasm.v3.Wasm', { config: plugin(given) });
}

/** The session guard for a listener with the network filter. */
export function tcpGuard(given: Given): Message {
  return extension(GUARD, 'extensions.filters.network.wasm.v3.Wasm', { config: plugin(given) });
}

/** The same everywhere: plugins with one `vm_config` share the guard of their worker thread, and its contact. */
function plugin({ guardWasm }: Given): Message {
  return {
    name: GUARD,
    root_id: GUARD,
    // A guard that fails takes its sessions with it and is replaced; without one nothing passes.
    failure_policy: 'FAIL_RELOAD',
    reload_config: { backoff: { base_interval: '0.1s', max_interval: '1s' } },
    configuration: { '@type': 'type.googleapis.com/google.protobuf.Struct', value: { cluster: GUARD_CLUSTER } },
    vm_config: {
      vm_id: GUARD,
      runtime: 'envoy.wasm.runtime.v8',
      code: { local: { filename: guardWasm } },
    },
  };
}
