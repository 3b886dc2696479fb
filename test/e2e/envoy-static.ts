import { parse } from 'yaml';
import type { FileName } from '../../src/envoy-config/generate.js';

/** A part of a parsed configuration. */
export type Tree = { [key: string]: unknown };

/** A whole configuration with everything in its place, as a static bootstrap has it. */
export interface StaticBootstrap extends Tree {
  readonly static_resources: { readonly listeners: readonly Tree[]; readonly clusters: readonly Tree[] };
}

/** Generated files as one static bootstrap: what Envoy has once it has read them all. */
export function toStatic(files: Readonly<Record<FileName, string>>): StaticBootstrap {
  const { dynamic_resources: _, ...bootstrap } = parse(files['bootstrap.yaml']) as StaticBootstrap;
  const routes = [...resourcesOf(files['rds.yaml']), ...resourcesOf(files['rds-gate.yaml'])];
  const clusters = [...resourcesOf(files['cds.yaml']), ...bootstrap.static_resources.clusters];
  const listeners = resourcesOf(files['lds.yaml']).map((listener) => withRoutes(listener, routes) as Tree);
  return { ...bootstrap, static_resources: { listeners, clusters } };
}

export function parseStatic(text: string): StaticBootstrap {
  return parse(text) as StaticBootstrap;
}

function resourcesOf(text: string): Tree[] {
  const { resources } = parse(text) as { readonly resources: readonly Tree[] };
  // As in a static bootstrap, where the field says what it is.
  return resources.map((resource) => Object.fromEntries(Object.entries(resource).filter(([key]) => key !== '@type')));
}

/** Every `rds` is replaced by the routes that it names. */
function withRoutes(node: unknown, routes: readonly Tree[]): unknown {
  if (Array.isArray(node)) return node.map((item) => withRoutes(item, routes));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => {
    if (key !== 'rds') return [key, withRoutes(value, routes)];
    const wanted = (value as Tree)['route_config_name'];
    return ['route_config', routes.find(({ name }) => name === wanted)];
  });
  return Object.fromEntries(entries) as Tree;
}
