import type { Brand } from './brand.js';

export type PersonId = Brand<string, 'PersonId'>;
export type GroupName = Brand<string, 'GroupName'>;
export type ResourceName = Brand<string, 'ResourceName'>;
export type ActionName = Brand<string, 'ActionName'>;
export type PolicyName = Brand<string, 'PolicyName'>;
export type TrustName = Brand<string, 'TrustName'>;

/**
 * The names that policy files give to people, groups, resources, actions, policies and trust entries.
 * No slash, no colon, no upper case: they stand in subjects, URLs, headers and file names without escaping.
 */
export const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
