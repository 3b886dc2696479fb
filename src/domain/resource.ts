import type { ActionPattern } from './action-pattern.js';
import type { ActionName, ResourceName } from './names.js';

/** A named thing behind Envoy. */
export interface Resource {
  readonly name: ResourceName;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Named parts of the resource, for HTTP. Without any the resource has exactly one action, `access`. */
  readonly actions: ReadonlyMap<ActionName, readonly ActionPattern[]>;
  readonly http: { readonly authority: readonly string[]; readonly upstream: string } | null;
  readonly tcp: {
    readonly port: number;
    readonly sni: string | null;
    readonly upstream: string;
    readonly gate: boolean;
  } | null;
}

/** The one action of a resource that names none. */
export const ACCESS = 'access' as ActionName;

export function actionsOf(resource: Resource): readonly ActionName[] {
  return resource.actions.size === 0 ? [ACCESS] : [...resource.actions.keys()];
}

/**
 * The authority as it is looked up: lower case, without port. Null for what has no single reading: user information,
 * a trailing dot, characters outside host names.
 */
export function canonicalAuthority(authority: string): string | null {
  const host = /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.exec(authority.toLowerCase());
  return host?.[1] ?? null;
}
