import type { ActionPattern } from '../domain/action-pattern.js';
import type { ActionName, ResourceName } from '../domain/names.js';
import { ACCESS, type Resource } from '../domain/resource.js';
import { printActionPattern } from './action-text.js';
import type { Defined, Sections } from './merge.js';
import { printPlace, type Findings, type Place } from './problem.js';

type Entry = Sections['resources'] extends ReadonlyMap<string, infer D> ? D : never;

/** The resources of the folder. What Envoy sees (an authority, a port) leads to one of them at most. */
export function readResources({ resources }: Sections, findings: Findings): ReadonlyMap<ResourceName, Resource> {
  const authorities = new Map<string, Defined<unknown> & { readonly place: Place }>();
  const ports = new Map<number, Defined<unknown> & { readonly place: Place }>();
  for (const entry of resources.values()) {
    checkActions(entry, findings);
    const { http, tcp } = entry.value;
    for (const [i, authority] of (http?.authority ?? []).entries()) {
      once(authorities, authority, { ...entry, place: entry.at('http', 'authority', i) }, 'an authority', findings);
    }
    if (tcp) once(ports, tcp.port, { ...entry, place: entry.at('tcp', 'port') }, 'a port', findings);
  }
  return new Map([...resources.values()].map((entry) => [entry.name as ResourceName, toResource(entry)]));
}

function checkActions({ value, at }: Entry, findings: Findings): void {
  const names = Object.keys(value.actions ?? {});
  if (value.tcp && names.length > 0) {
    findings.problem(
      at('actions'),
      'expected no actions beside tcp; raw TCP has no requests to tell apart, remove actions or tcp',
    );
  }
  if (names.includes(ACCESS)) {
    findings.problem(
      at('actions', ACCESS),
      'expected another name for an action, got "access", which means all of a resource that names none',
    );
  }
}

function once<K>(
  taken: Map<K, Defined<unknown> & { readonly place: Place }>,
  key: K,
  entry: Defined<unknown> & { readonly place: Place },
  what: string,
  findings: Findings,
): void {
  const first = taken.get(key);
  if (!first) taken.set(key, entry);
  else
    findings.problem(
      entry.place,
      `expected ${what} of one resource, got ${JSON.stringify(key)}, which ${first.name} has at ${printPlace(first.place)}`,
    );
}

function toResource({ name, value }: Entry): Resource {
  const { description, labels, http, tcp, actions = {} } = value;
  return {
    name: name as ResourceName,
    description,
    labels,
    http: http ? { authority: http.authority.toSorted(), upstream: http.upstream } : null,
    tcp: tcp ? { ...tcp, sni: tcp.sni ?? null } : null,
    actions: new Map(
      Object.entries(actions)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([action, patterns]) => [action as ActionName, patterns.toSorted(byText)]),
    ),
  };
}

function byText(a: ActionPattern, b: ActionPattern): number {
  return printActionPattern(a) < printActionPattern(b) ? -1 : 1;
}
