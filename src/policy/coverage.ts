import { covers, type WhatSelector } from '../domain/policy.js';
import type { Resource } from '../domain/resource.js';

/** The resources that a policy is about, for telling its author. */
export function coveredBy(what: WhatSelector, all: Iterable<Resource>): Resource[] {
  return [...all].filter((resource) => covers(what, resource));
}
