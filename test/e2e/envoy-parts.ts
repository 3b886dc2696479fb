import type { StaticBootstrap, Tree } from './envoy-static.js';

/** Types of messages, as far from the right as they need to be told apart. */
export const HTTP_CHECK = 'filters.http.ext_authz.v3.ExtAuthz';
export const TCP_CHECK = 'filters.network.ext_authz.v3.ExtAuthz';
export const MANAGER = 'HttpConnectionManager';
export const TCP_PROXY = 'TcpProxy';

/** Every message of a type, however deep; the type from the right, as `TcpProxy`. */
export function all(node: unknown, type: string): readonly Tree[] {
  if (Array.isArray(node)) return node.flatMap((item) => all(item, type));
  if (typeof node !== 'object' || node === null) return [];
  const below = Object.values(node).flatMap((value) => all(value, type));
  return isTyped(node, type) ? [node as Tree, ...below] : below;
}

/** Whether a message is of a type. */
export function isTyped(node: unknown, type: string): boolean {
  return String((node as Tree | undefined)?.['@type']).endsWith(`.${type}`);
}

/** What lies at a path of keys and list positions; undefined where the way ends. */
export function get(node: unknown, path: string): unknown {
  return path.split('.').reduce((at, step) => (at as Tree | undefined)?.[step], node);
}

/** Every place that asks the service, by either filter. */
export function checks(node: unknown): readonly Tree[] {
  return [...all(node, HTTP_CHECK), ...all(node, TCP_CHECK)];
}

/** Whether a listener is inside Envoy. */
export function isGate(listener: Tree): boolean {
  return 'internal_listener' in listener;
}

/** Listeners inside Envoy. */
export function gates(config: StaticBootstrap): readonly Tree[] {
  return config.static_resources.listeners.filter(isGate);
}

/** Listeners that clients from the network reach. */
export function networkListeners(config: StaticBootstrap): readonly Tree[] {
  return config.static_resources.listeners.filter((one) => !isGate(one));
}

/** Connection managers that clients from the network reach. */
export function managers(config: StaticBootstrap): readonly Tree[] {
  return networkListeners(config).flatMap((one) => all(one, MANAGER));
}

/** Listeners in front of the gate. */
export function gated(config: StaticBootstrap): readonly Tree[] {
  return networkListeners(config).filter((one) => all(one, TCP_PROXY).some((proxy) => 'tunneling_config' in proxy));
}

/** The filter chains of a listener, its default one included. */
export function chainsOf(listener: Tree): readonly Tree[] {
  const chains = (listener['filter_chains'] ?? []) as readonly Tree[];
  return 'default_filter_chain' in listener ? [...chains, listener['default_filter_chain'] as Tree] : chains;
}

/** The filter chains of all listeners. */
export function chains(config: StaticBootstrap): readonly Tree[] {
  return config.static_resources.listeners.flatMap(chainsOf);
}

/** Every route of every connection manager below. */
export function routes(node: unknown): readonly Tree[] {
  const hosts = all(node, MANAGER).flatMap((one) => (get(one, 'route_config.virtual_hosts') ?? []) as readonly Tree[]);
  return hosts.flatMap((host) => (host['routes'] ?? []) as readonly Tree[]);
}
