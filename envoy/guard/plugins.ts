import { speakOf } from './host';
import { Text } from './text';

/** One plugin of Envoy's configuration that uses this VM: an HTTP filter here, a network filter there. */
class Plugin {
  constructor(
    public root: u32,
    public cluster: Text,
  ) {}
}

// In the order in which they were configured.
let plugins: Plugin[] = [];

/** The first in line owns the contact and hears the ticks. 0: there is none. */
export function ownerRoot(): u32 {
  return plugins.length == 0 ? 0 : plugins[0].root;
}

/** The cluster that the service is in, as the owner says. */
export function ownerCluster(): Text {
  return plugins[0].cluster;
}

export function isPlugin(root: u32): bool {
  for (let i = 0; i < plugins.length; i++) if (plugins[i].root == root) return true;
  return false;
}

/** Takes a plugin in; one that is configured again keeps its place. */
export function addPlugin(root: u32, cluster: Text): void {
  for (let i = 0; i < plugins.length; i++) {
    if (plugins[i].root != root) continue;
    plugins[i].cluster = cluster;
    return;
  }
  plugins.push(new Plugin(root, cluster));
}

/** True: it was the owner, and another one is now, or nobody. */
export function removePlugin(root: u32): bool {
  const wasOwner = root == ownerRoot();
  for (let i = plugins.length - 1; i >= 0; i--) if (plugins[i].root == root) plugins.splice(i, 1);
  return wasOwner;
}

/** From here on calls speak of the owner. */
export function speakOfOwner(): bool {
  return plugins.length > 0 && speakOf(ownerRoot());
}
