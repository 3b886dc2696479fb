import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { CutsHome } from './home.js';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export type Admin = ReturnType<typeof openAdmin>;

/** The admin API, over its socket as the host and over TLS as people. Connections are kept, as programs do that revoke much. */
export function openAdmin(home: CutsHome, port: number) {
  const agent = new Agent({ keepAlive: true });
  const agents = new Map<string, TlsAgent>();
  const asHost = (method: string, path: string, body?: object) =>
    call(httpRequest, { agent, socketPath: home.file('run/admin.sock'), method, path }, body);
  const as = (who: string, { pem: cert, keyPem: key }: { pem: string; keyPem: string }) => {
    const own =
      agents.get(who) ?? new TlsAgent({ keepAlive: true, ca: home.ca.pem, cert, key, servername: 'localhost' });
    agents.set(who, own);
    return (method: string, path: string, body?: object) =>
      call(httpsRequest, { agent: own, host: '127.0.0.1', port, method, path }, body);
  };
  return {
    /** Ends a grant: when it says it has ended, which was before it was durable; and whether all guards had applied it. */
    async revoke(grantId: string): Promise<{ readonly at: number; readonly isApplied: boolean }> {
      const { status, body } = await asHost('POST', `/v1/grants/${grantId}/revoke`, { reason: 'a benchmark' });
      const { end } = body as { readonly end?: { readonly at: string } };
      if (end === undefined) throw new Error(`a revoke was answered with ${status}: ${JSON.stringify(body)}`);
      return { at: Date.parse(end.at), isApplied: status === 200 };
    },
    /** Locks a resource. */
    async lock(resource: string): Promise<{ readonly id: string; readonly at: number }> {
      const lock = { target: { kind: 'resource', resource }, reason: 'a benchmark' };
      const { body } = await succeeded(asHost('POST', '/v1/locks', lock));
      return { id: String(body['id']), at: Date.parse(String(body['createdAt'])) };
    },
    unlock: (id: string) => succeeded(asHost('DELETE', `/v1/locks/${id}`)),
    /** Access for a user, asked for and approved: when it ends. */
    async grant(user: number, resource: string, duration: string): Promise<number> {
      const asked = await succeeded(
        as(`user-${user}`, home.credentialOf(user))('POST', '/v1/requests', { resource, duration, justification: 'x' }),
      );
      const bob = as('bob', home.reviewer);
      const id = String(asked.body['id']);
      const { body } = await succeeded(bob('GET', `/v1/requests/${id}`));
      const review = { verdict: 'approve', digest: body['digest'] };
      const approved = await succeeded(bob('POST', `/v1/requests/${id}/reviews`, review));
      const granted = await succeeded(asHost('GET', `/v1/grants/${String(approved.body['grantId'])}`));
      return Date.parse(String(granted.body['expiresAt']));
    },
    /** Whether it is there. */
    answers: () =>
      asHost('GET', '/v1/sessions').then(
        ({ status }) => status === 200,
        () => false,
      ),
    /** Sessions that guards have told of. */
    sessions: async (query: string) =>
      (await succeeded(asHost('GET', `/v1/sessions?${query}`))).body['items'] as readonly {
        readonly id: string;
        readonly end: { readonly reason: string; readonly cutAfterMs: number | null } | null;
      }[],
    close() {
      agent.destroy();
      for (const own of agents.values()) own.destroy();
    },
  };
}

async function succeeded(answer: Promise<Answer>): Promise<Answer> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return { status, body };
}

function call(send: typeof httpRequest, options: RequestOptions, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const request = send({ ...options, headers }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }),
      );
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}
