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

/** What named actions mean: their patterns as they are written, sorted. The one action of a resource that names none has none. */
export type Patterns = Readonly<Record<ActionName, readonly string[]>>;

export function patternsOf(resource: Resource, actions: readonly ActionName[]): Patterns {
  const named = actions.map((action) => [action, resource.actions.get(action)] as const);
  return Object.fromEntries(
    named.flatMap(([action, patterns]) => (patterns ? [[action, patterns.map(({ text }) => text).sort()]] : [])),
  );
}

/** Whether these actions still mean what they meant. */
export function meanTheSame(resource: Resource, actions: readonly ActionName[], then: Patterns): boolean {
  return actions.every((action) => {
    const now = resource.actions.get(action);
    const before = Object.hasOwn(then, action) ? then[action] : undefined;
    if (now === undefined || before === undefined) return now === before;
    return now.length === before.length && now.every(({ text }) => before.includes(text));
  });
}

/** All actions of the resource, in the order in which it names them. */
export function actionsOf(resource: Resource): readonly ActionName[] {
  return resource.actions.size === 0 ? [ACCESS] : [...resource.actions.keys()];
}

/** Whether it is one of `actionsOf`. */
export function hasAction({ actions }: Resource, action: ActionName): boolean {
  return actions.size === 0 ? action === ACCESS : actions.has(action);
}

/**
 * The authority as it is looked up: lower case, without port. Null for what has no single reading: user information,
 * a trailing dot, a port that is none, characters outside host names.
 */
export function canonicalAuthority(authority: string): string | null {
  const [, host, port] = AUTHORITY.exec(authority) ?? [];
  return host === undefined || Number(port ?? 0) > 65_535 ? null : host.toLowerCase();
}

// Tested before the case is folded: U+212A, the Kelvin sign, is a `k` in lower case, and another host to Envoy.
const AUTHORITY = /^([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;
