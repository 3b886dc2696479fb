import { matchesAction } from './action-pattern.js';
import { deny, type Deny } from './decision.js';
import { unambiguousPath } from './http-path.js';
import type { ActionName } from './names.js';
import { ACCESS, type Resource } from './resource.js';

/** The word that patterns use for upgrades (WebSocket and others); no method that a client could send. */
const UPGRADE = 'UPGRADE';

/** A request line as it is matched: `upgrade` for what Envoy will treat as one. */
export interface RequestLine {
  readonly method: string;
  /** With the query, as the client sent it. */
  readonly path: string;
  readonly upgrade: boolean;
}

/** The actions that an HTTP request belongs to; none when no pattern matches; a deny when its path has no single reading. */
export function httpActions(resource: Resource, { method, path, upgrade }: RequestLine): readonly ActionName[] | Deny {
  const bare = unambiguousPath(path);
  if (bare === null) {
    return deny('malformed', {
      message: 'the path has more than one reading (empty or dot segments, encoded slashes and the like)',
    });
  }
  if (resource.actions.size === 0) return [ACCESS];
  if (method === UPGRADE && !upgrade) return [];
  const word = upgrade ? UPGRADE : method;
  const found: ActionName[] = [];
  for (const [name, patterns] of resource.actions)
    if (patterns.some((one) => matchesAction(one, word, bare))) found.push(name);
  return found;
}
