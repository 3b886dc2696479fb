import { allow, welcomedHost } from '../../test/guard/fake-host.js';

/**
 * Bytes of its VM that the guard needs for each of so many sessions of the gate, each under a grant of its own. In a VM of Node,
 * whose engine is Envoy's: from outside Envoy shows no more than how many VMs there are.
 */
export function guardBytesEach(sessions: number): number {
  const host = welcomedHost();
  const empty = host.memory;
  for (let n = 0; n < sessions; n++) {
    const grant = `gr_${String(n).padStart(26, '0')}`;
    host.request({
      metadata: allow({ grant_id: grant }),
      headers: { ':method': 'CONNECT', 'x-portcullis-source': '198.51.100.7:45678' },
      source: 'envoy://internal_client_address/',
    });
  }
  host.send({ heartbeat: {} }, { command: 0 });
  host.advance(500);
  return (host.memory - empty) / sessions;
}
