import type { Resource } from '../domain/resource.js';
import { bootstrap } from './bootstrap.js';
import { clustersOf } from './clusters.js';
import { gateCluster, gateListener } from './gate.js';
import { httpListener } from './http-listener.js';
import { typed, type Message } from './message.js';
import { checkOptions, type EnvoyOptions } from './options.js';
import { printMessage } from './print.js';
import { gateRoutes, httpRoutes } from './routes.js';
import { listenerFor } from './tcp-listener.js';

/** The files, in the order in which Envoy should see them: what is referred to comes before what refers to it. */
export const FILES = ['cds.yaml', 'rds.yaml', 'rds-gate.yaml', 'lds.yaml', 'bootstrap.yaml'] as const;
export type FileName = (typeof FILES)[number];

export interface EnvoyConfig {
  readonly files: Readonly<Record<FileName, string>>;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/**
 * Envoy's configuration for these resources. The same resources in any order give the same bytes, and one resource more
 * or less changes nothing that belongs to another.
 *
 * @throws {AccessError} `invalid_request` when the options and the resources cannot both be had
 */
export function generateEnvoyConfig(resources: Iterable<Resource>, options: EnvoyOptions): EnvoyConfig {
  const sorted = [...resources].sort((a, b) => (a.name < b.name ? -1 : 1));
  checkOptions(options, sorted);
  const http = sorted.filter(isHttp);
  const tcp = sorted.filter(isTcp);
  const gated = tcp.filter((resource) => resource.tcp.gate);
  const listeners = [
    ...(http.length > 0 ? [httpListener(options)] : []),
    ...(gated.length > 0 ? [gateListener(options)] : []),
    ...tcp.map((resource) => listenerFor(resource, options)),
  ];
  const clusters = [...(gated.length > 0 ? [gateCluster(options)] : []), ...sorted.flatMap(clustersOf)];
  return {
    files: {
      'cds.yaml': watched('config.cluster.v3.Cluster', clusters),
      'rds.yaml': watched('config.route.v3.RouteConfiguration', [httpRoutes(http, options)]),
      'rds-gate.yaml': watched('config.route.v3.RouteConfiguration', [gateRoutes(gated, options)]),
      'lds.yaml': watched('config.listener.v3.Listener', listeners),
      'bootstrap.yaml': printMessage(bootstrap(options)),
    },
    notes: [
      ...sorted.filter((resource) => !isHttp(resource) && !isTcp(resource)).map(({ name }) => withoutUpstream(name)),
      ...tcp
        .filter(({ name, tcp: { gate } }) => !gate && options.holds?.has(name))
        .map(({ name }) => withoutHold(name)),
    ],
  };
}

type With<K extends 'http' | 'tcp'> = Resource & { readonly [P in K]: NonNullable<Resource[P]> };

function isHttp(resource: Resource): resource is With<'http'> {
  return resource.http !== null;
}

function isTcp(resource: Resource): resource is With<'tcp'> {
  return resource.tcp !== null;
}

function withoutUpstream(name: string): string {
  return `resource ${JSON.stringify(name)} is left out: it has neither http nor tcp; give it one with its upstream`;
}

function withoutHold(name: string): string {
  return `resource ${JSON.stringify(name)} does not go through the gate, so no connection to it waits for an approval`;
}

function watched(type: string, resources: readonly Message[]): string {
  return printMessage({ resources: resources.map((resource) => typed(type, resource)) });
}
