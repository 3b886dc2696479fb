import { DELAYED_CLOSE } from './limits.js';
import { extension, type Message } from './message.js';

const NAME = 'envoy.filters.network.http_connection_manager';

interface Chain {
  /** Stands first: what judges a request sees it before anything else. */
  readonly check: Message;
  /** Right behind: it guards what was let in. */
  readonly guard: Message;
  /** Behind what judges: changes nothing that it judged by. */
  readonly cleaning?: readonly Message[];
}

/** A connection manager that asks before it routes. */
export function connectionManager({ check, guard, cleaning = [] }: Chain, fields: Message): Message {
  return extension(NAME, 'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    ...fields,
    delayed_close_timeout: DELAYED_CLOSE,
    // Also when a session begins, so that the log knows of those that are still open.
    access_log_options: { flush_log_on_tunnel_successfully_established: true },
    http_filters: [
      check,
      guard,
      ...cleaning,
      extension('envoy.filters.http.router', 'extensions.filters.http.router.v3.Router'),
    ],
  });
}
