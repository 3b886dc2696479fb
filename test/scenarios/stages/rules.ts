import { check } from '../../../src/access/check.js';
import { returnGrant, revokeGrant } from '../../../src/access/end-grant.js';
import { createLock, removeLock } from '../../../src/access/lock.js';
import { createRecorder } from '../../../src/access/recorder.js';
import { submitRequest, withdrawRequest } from '../../../src/access/request.js';
import { giveReview } from '../../../src/access/review.js';
import { actorOfSubject } from '../../../src/access/actors.js';
import type { Actor } from '../../../src/domain/actor.js';
import { parseDuration } from '../../../src/domain/durations.js';
import { AccessError } from '../../../src/domain/errors.js';
import { httpActions } from '../../../src/domain/http-actions.js';
import type { LockTarget } from '../../../src/domain/lock.js';
import type { ActionName, ResourceName } from '../../../src/domain/names.js';
import type { PolicySet } from '../../../src/domain/policy.js';
import { requestStateOf } from '../../../src/domain/request.js';
import { ACCESS } from '../../../src/domain/resource.js';
import { after, days } from '../../../src/domain/time.js';
import type { Store } from '../../../src/store/store.js';
import { person, subject, T0 } from '../../builders.js';
import { world } from '../../world.js';
import type { Outcome, Stage } from './stage.js';

/** The rules over a store, with a clock that moves when the scenario says so. */
export function rulesStage(policies: PolicySet, store: Store): Stage {
  const { needed, clock } = world({ policies, store });
  const recorder = createRecorder({ ...needed, mode: 'grouped', onFailure: fail, onUnrecorded: () => undefined });
  const checking = { ...needed, recorder, closed: () => null, alarm: fail };
  const as = (who: string): Actor =>
    who === 'host' ? { kind: 'host' } : actorOfSubject(subject(who), policies.directory);
  const find = (id: string) => store.read((snapshot) => snapshot.request(id as never));

  return {
    async check(who, name, request) {
      const resource = policies.resources.get(name as ResourceName)!;
      const [method, path] = request?.split(' ') ?? [];
      const actions =
        request === null ? [ACCESS] : httpActions(resource, { method: method!, path: path!, upgrade: false });
      const question = {
        subject: { is: subject(who), validUntil: after(T0, days(1)) },
        resource: { is: resource.name },
        actions,
      };
      const { decision } = check(checking, { question, source: null, request });
      return decision.effect === 'allow' ? 'allow' : `deny ${decision.reason}`;
    },
    ask: (who, wish) =>
      outcome(async () => {
        const asked = await submitRequest(
          needed,
          as(who),
          {
            resource: wish.resource as ResourceName,
            duration: parseDuration(wish.duration),
            ...(wish.action !== null && { actions: [wish.action as ActionName] }),
          },
          null,
        );
        return { word: requestStateOf(asked, clock.read().wall), id: asked.id };
      }),
    review: (who, id, verdict) =>
      outcome(async () => {
        const digest = find(id)!.digest;
        const { request, grant } = await giveReview(needed, as(who), { requestId: id as never, verdict, digest }, null);
        return { word: requestStateOf(request, clock.read().wall), grantId: grant?.id };
      }),
    withdraw: (who, id) =>
      outcome(async () => {
        const request = await withdrawRequest(needed, as(who), { id: id as never }, null);
        return { word: requestStateOf(request, clock.read().wall) };
      }),
    end: (who, id, how) =>
      outcome(async () => {
        const grant = await (how === 'revoke' ? revokeGrant : returnGrant)(needed, as(who), { id: id as never }, null);
        return { word: grant.end?.reason ?? 'expired' };
      }),
    lock: (who, { kind, name }, duration) =>
      outcome(async () => {
        const wish = {
          target: targetOf(kind, name),
          reason: 'scenario',
          ...(duration && { duration: parseDuration(duration) }),
        };
        return { word: 'locked', id: (await createLock(needed, as(who), wish, null)).id };
      }),
    unlock: (who, id) =>
      outcome(async () => {
        await removeLock(needed, as(who), id as never, null);
        return { word: 'unlocked' };
      }),
    pass: async (duration) => clock.advance(parseDuration(duration)),
    async close() {
      await recorder.flush();
      await store.close();
    },
  };
}

function targetOf(kind: string, name: string): LockTarget {
  if (kind === 'subject') return { kind, subject: subject(name) };
  return kind === 'person' ? { kind, person: person(name) } : { kind: 'resource', resource: name as ResourceName };
}

async function outcome(act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AccessError) return { word: `error ${error.code}` };
    throw error;
  }
}

function fail(cause: unknown): never {
  throw cause;
}
