import type { WhatSelector } from '../domain/policy.js';
import type { Resource } from '../domain/resource.js';

/** The resources that a policy is about: those it names and those with all of its labels, for telling its author. */
export function coveredBy({ resources, labels }: WhatSelector, all: Iterable<Resource>): Resource[] {
  const wanted = labels ? Object.entries(labels) : [];
  return [...all].filter(
    (resource) =>
      resources.includes(resource.name) ||
      (wanted.length > 0 && wanted.every(([key, value]) => resource.labels[key] === value)),
  );
}
