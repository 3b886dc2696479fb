import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { findLock, listLocks, lockIfThere, lockStanding } from '../access/list-locks.js';
import { hitsOf } from '../access/lock-hits.js';
import { doubtAbout } from '../access/lock-target.js';
import { createLock, removeLock } from '../access/lock.js';
import { assertRevision } from '../access/request.js';
import type { LockId } from '../domain/ids.js';
import type { LockTarget } from '../domain/lock.js';
import { parseSubject } from '../domain/subject.js';
import { actorOf } from './authenticate.js';
import type { AdminApp, Api } from './api.js';
import { applied } from './applied.js';
import { answer, ifRevision } from './conditional.js';
import { IDEMPOTENCY_KEY, idempotencyOf } from './idempotency.js';
import { answers, ANY_BODY, ANY_CALL, ANY_CHANGE, IdParams, idOf, told } from './operation.js';
import { listPage } from './paging.js';
import { NOTHING } from './schemas/fields.js';
import {
  LockAnswer,
  LockBody,
  LockPage,
  LockQuery,
  lockView,
  NewLockAnswer,
  RemovedLockAnswer,
  UnappliedLockAnswer,
} from './schemas/lock.js';
import { WaitQuery } from './schemas/session.js';

const TAG = 'locks';

/** Locking, unlocking, and the list of locks. */
export function addLockRoutes(app: AdminApp, api: Pick<Api, 'needed' | 'sessions' | 'soleTrust'>): void {
  const { needed } = api;
  const now = () => needed.clock.read().wall;
  addReading(app, api);

  app.route({
    method: 'POST',
    url: '/v1/locks',
    config: { takes: [IDEMPOTENCY_KEY] },
    schema: {
      ...told(
        TAG,
        'createLock',
        'Lock',
        'Denies whatever it names, whatever grants there are, and cuts its sessions. For operators.',
      ),
      querystring: WaitQuery,
      body: LockBody,
      response: answers({ 201: NewLockAnswer, 202: UnappliedLockAnswer }, [
        ...ANY_CHANGE,
        ...ANY_BODY,
        ...([
          'invalid_subject',
          'invalid_duration',
          'unknown_target',
          'idempotency_conflict',
          'clock_suspect',
        ] as const),
      ]),
    },
    handler: async (request, reply) => {
      const wish = { ...request.body, target: targetOf(request.body.target, api) };
      const lock = await createLock(needed, actorOf(request), wish, idempotencyOf(request, needed.sha256));
      reply.code(201).header('location', `/v1/locks/${lock.id}`);
      const view = () => lockView(lockStanding(lock, now()));
      const shown = await applied(reply, api.sessions, request.query, view);
      const warning = needed.store.read((snapshot) => doubtAbout(lock.target, needed.policies.current, snapshot));
      const hit = await hitsOf({ ...needed, sessions: api.sessions }, lock);
      return answer(reply, lock.revision, { ...shown, hit, warning });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/locks/:id',
    config: { takes: [IDEMPOTENCY_KEY, 'if-match'] },
    schema: {
      ...told(
        TAG,
        'removeLock',
        'Unlock',
        'Grants that it suspended can be used again if they have not ended. For operators whom it is not on.',
      ),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: RemovedLockAnswer }, [
        ...ANY_CHANGE,
        ...(['not_found', 'idempotency_conflict', 'precondition_failed', 'clock_suspect'] as const),
      ]),
    },
    handler: async (request, reply) => {
      const id = idOf('lock', request.params);
      assertUnchanged(api, id, request);
      const lock = await removeLock(needed, actorOf(request), id, idempotencyOf(request, needed.sha256));
      const view = lockView(lockStanding(lock, now()));
      return answer(reply, lock.revision, { ...view, state: 'removed' as const });
    },
  });
}

function addReading(app: AdminApp, { needed }: Pick<Api, 'needed'>): void {
  app.route({
    method: 'GET',
    url: '/v1/locks',
    schema: {
      ...told(TAG, 'listLocks', 'List locks', 'Newest first. For operators and auditors.'),
      querystring: LockQuery,
      response: answers({ 200: LockPage }, [...ANY_CALL, 'not_permitted']),
    },
    handler: async (request) => {
      const listing = { name: 'locks', query: request.query, sha256: needed.sha256 };
      return listPage(listing, (page) => listLocks(needed, actorOf(request), request.query, page), lockView);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/locks/:id',
    schema: {
      ...told(TAG, 'getLock', 'Show a lock', 'For operators and auditors.'),
      querystring: NOTHING,
      params: IdParams,
      response: answers({ 200: LockAnswer }, [...ANY_CALL, 'not_permitted', 'not_found']),
    },
    handler: async (request, reply) => {
      const standing = findLock(needed, actorOf(request), idOf('lock', request.params));
      return answer(reply, standing.lock.revision, lockView(standing));
    },
  });
}

/**
 * A lock never changes: it is the one that was read, or it is gone. So its revision may be compared before the change;
 * one that is gone is left to the change, which may be a repetition of the call that removed it.
 */
function assertUnchanged({ needed }: Pick<Api, 'needed'>, id: LockId, request: FastifyRequest): void {
  const wanted = ifRevision(request);
  const seen = wanted === undefined ? undefined : lockIfThere(needed, actorOf(request), id);
  if (seen) assertRevision(seen.lock, wanted);
}

function targetOf(target: z.output<typeof LockBody>['target'], { soleTrust }: Pick<Api, 'soleTrust'>): LockTarget {
  return target.kind === 'subject' ? { ...target, subject: parseSubject(target.subject, soleTrust) } : target;
}
