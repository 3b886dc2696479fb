import { Agent, request } from 'node:http';

/** A revoke that has been sent. */
export interface Revoke {
  /** Resolves in the moment in which the status line of a 200 has come: from then on it must be obeyed. */
  readonly acknowledged: Promise<void>;
  /** Resolves when the whole answer has come, and says that the grant has ended. */
  readonly ended: Promise<void>;
}

/** Revokes over the admin socket, as the host. */
export interface Revoker {
  revoke(grantId: string): Revoke;
  close(): void;
}

const BODY = JSON.stringify({ reason: 'a benchmark' });

/** Keeps its connections, as a program that revokes many would. */
export function openRevoker(socketPath: string): Revoker {
  const agent = new Agent({ keepAlive: true });
  return {
    revoke(grantId) {
      const call = request({
        agent,
        socketPath,
        method: 'POST',
        path: `/v1/grants/${grantId}/revoke`,
        headers: { 'content-type': 'application/json', 'content-length': BODY.length },
      });
      const answer = textOf(call);
      call.end(BODY);
      return answer;
    },
    close: () => agent.destroy(),
  };
}

function textOf(call: ReturnType<typeof request>): Revoke {
  const { promise: acknowledged, resolve: acknowledge, reject: refuse } = deferred();
  const { promise: ended, resolve: end, reject: fail } = deferred();
  const lost = (cause: Error) => {
    refuse(cause);
    fail(cause);
  };
  // Whoever waits for one of the two hears of it; the other is not forgotten by mistake.
  acknowledged.catch(() => undefined);
  ended.catch(() => undefined);
  call.on('error', lost);
  call.on('response', (response) => {
    if (response.statusCode === 200) acknowledge();
    let text = '';
    response.on('data', (part: Buffer) => (text += part.toString()));
    response.on('error', lost);
    response.on('end', () => {
      if (response.statusCode === 200 && text.includes('"reason":"revoked"')) end();
      else lost(new Error(`a revoke was answered with ${response.statusCode}: ${text}`));
    });
  });
  return { acknowledged, ended };
}

function deferred() {
  let resolve!: () => void;
  let reject!: (cause: Error) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
