/** A message of Envoy's configuration as plain values. */
export type Message = Readonly<Record<string, unknown>>;

/** A message inside an `Any`; `type` is its name below `envoy.`. */
export function typed(type: string, fields: Message = {}): Message {
  return { '@type': `type.googleapis.com/envoy.${type}`, ...fields };
}

/** A named extension with its configuration. */
export function extension(name: string, type: string, fields: Message = {}): Message {
  return { name, typed_config: typed(type, fields) };
}

/** An IP address to bind, or a host to connect to. */
export function socketAddress(address: string, port: number): Message {
  return { socket_address: { address, port_value: port } };
}

/** A Unix socket. */
export function pipe(path: string): Message {
  return { pipe: { path } };
}

/** A file of ours that Envoy reads again whenever something is renamed into its folder. */
export function watchedFile(folder: string, name: string): Message {
  return {
    resource_api_version: 'V3',
    path_config_source: { path: `${folder}/${name}`, watched_directory: { path: folder } },
  };
}
