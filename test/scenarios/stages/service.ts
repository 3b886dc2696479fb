import { parseDuration } from '../../../src/domain/durations.js';
import { metadataOf } from '../../check-requests.js';
import type { ApiAnswer, TestService } from '../../service.js';
import { uriOf, type Outcome, type Stage } from './stage.js';

/** How a check is made on a stage that has the real service. */
export type Check = Stage['check'];

/** The real service through its own doors: the admin API with certificates, and checks as Envoy makes them. */
export function serviceStage(
  service: TestService,
  { check = grpcCheck(service), close = async () => {} }: { check?: Check; close?: () => Promise<void> } = {},
): Stage {
  const post = (who: string, path: string, body?: object) => service.api(who, 'POST', `/v1/${path}`, body);
  return {
    check,
    ask: async (who, { resource, duration, action }) =>
      outcome(await post(who, 'requests', { resource, duration, ...(action !== null && { actions: [action] }) })),
    async review(who, id, verdict) {
      // Shown to somebody who may see everything, so that what a stranger may not review is refused at the review itself.
      const shown = await service.api('host', 'GET', `/v1/requests/${id}`);
      return outcome(await post(who, `requests/${id}/reviews`, { verdict, digest: shown.body['digest'] }));
    },
    withdraw: async (who, id) => outcome(await post(who, `requests/${id}/withdraw`)),
    async end(who, id, how) {
      const answer = await post(who, `grants/${id}/${how}`, {});
      return outcome(answer, String(answer.body['reason']));
    },
    async lock(who, { kind, name }, duration) {
      const target = { kind, [kind]: kind === 'subject' ? uriOf(name) : name };
      return outcome(await post(who, 'locks', { target, reason: 'scenario', ...(duration && { duration }) }), 'locked');
    },
    unlock: async (who, id) => outcome(await service.api(who, 'DELETE', `/v1/locks/${id}`), 'unlocked'),
    // A little more: the end of a grant was counted from a moment before its answer arrived.
    pass: (duration) => new Promise((resolve) => setTimeout(resolve, parseDuration(duration) + 20)),
    async close() {
      await close();
      await service.stop();
    },
  };
}

function grpcCheck(service: TestService): Check {
  return async (who, resource, request) => {
    const [method, path] = request?.split(' ') ?? [];
    const answer = await service.check(
      who,
      resource,
      request === null ? undefined : { method: method!, path: path!, host: 'billing.internal' },
    );
    return answer.status?.code === 0 ? 'allow' : `deny ${metadataOf(answer)['reason']}`;
  };
}

function outcome({ status, body }: ApiAnswer, word = String(body['state'])): Outcome {
  if (status >= 400) return { word: `error ${body['code']}` };
  return { word, id: body['id'] as string, ...(body['grantId'] ? { grantId: body['grantId'] as string } : {}) };
}
