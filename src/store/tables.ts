import type { Draft } from '../domain/draft.js';
import type { Grant } from '../domain/grant.js';
import type { AccessRequest } from '../domain/request.js';
import type { Token } from '../domain/token.js';
import * as keys from './keys.js';
import type { Key, Kind } from './keys.js';

/**
 * How one kind of state lies in the store: the key of the thing itself, and the index entries that lead to it. An index
 * entry is a hint. It is believed only when the thing it names is there, is authentic and would be indexed just so; a
 * lost one hides a thing and a false one is damage, but none can make up a grant.
 */
export interface Table<T> {
  readonly kind: Kind;
  /** Kinds of its index entries. */
  readonly indexes: readonly Kind[];
  keyOf(id: string): Key;
  idOf(thing: T): string;
  indexKeysOf(thing: T): readonly Key[];
}

export const REQUESTS: Table<AccessRequest> = {
  kind: keys.KIND.request,
  indexes: [
    keys.KIND.requestByCreation,
    keys.KIND.requestByPerson,
    keys.KIND.pendingBySubject,
    keys.KIND.pendingByLapse,
    keys.KIND.pendingByPerson,
  ],
  keyOf: (id) => keys.requestKey(id as AccessRequest['id']),
  idOf: ({ id }) => id,
  indexKeysOf: ({ id, subject, person, resource, createdAt, lapsesAt, settled }) => [
    keys.requestByCreationKey(createdAt, id),
    keys.requestByPersonKey(person, createdAt, id),
    ...(settled === null
      ? [
          keys.pendingBySubjectKey(subject, resource, lapsesAt, id),
          keys.pendingByLapseKey(lapsesAt, createdAt, id),
          keys.pendingByPersonKey(person, lapsesAt, createdAt, id),
        ]
      : []),
  ],
};

export const GRANTS: Table<Grant> = {
  kind: keys.KIND.grant,
  indexes: [keys.KIND.grantBySubject, keys.KIND.grantByCreation, keys.KIND.grantByPerson, keys.KIND.grantByEnd],
  keyOf: (id) => keys.grantKey(id as Grant['id']),
  idOf: ({ id }) => id,
  indexKeysOf: ({ id, subject, person, resource, createdAt, expiresAt }) => [
    keys.grantBySubjectKey(subject, resource, expiresAt, id),
    keys.grantByCreationKey(createdAt, id),
    keys.grantByPersonKey(person, createdAt, id),
    keys.grantByEndKey(expiresAt, createdAt, id),
  ],
};

export const TOKENS: Table<Token> = {
  kind: keys.KIND.token,
  indexes: [keys.KIND.tokenByHash, keys.KIND.tokenByCreation, keys.KIND.tokenByMaker],
  keyOf: (id) => keys.tokenKey(id as Token['id']),
  idOf: ({ id }) => id,
  indexKeysOf: ({ id, hash, createdAt, createdBy }) => [
    keys.tokenByHashKey(hash, id),
    keys.tokenByCreationKey(createdAt, id),
    keys.tokenByMakerKey(createdBy, createdAt, id),
  ],
};

export const DRAFTS: Table<Draft> = {
  kind: keys.KIND.draft,
  indexes: [keys.KIND.draftByCreation, keys.KIND.draftBySubject, keys.KIND.draftByEnd],
  keyOf: (id) => keys.draftKey(id as Draft['id']),
  idOf: ({ id }) => id,
  indexKeysOf: ({ id, subject, createdAt, expiresAt }) => [
    keys.draftByCreationKey(createdAt, id),
    keys.draftBySubjectKey(subject, createdAt, id),
    keys.draftByEndKey(expiresAt, id),
  ],
};

/** For those who come to things by their keys and do not know what they are. */
export const TABLES = [REQUESTS, GRANTS, TOKENS, DRAFTS] as unknown as readonly Table<unknown>[];
