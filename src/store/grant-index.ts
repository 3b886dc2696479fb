import type { GrantId } from '../domain/ids.js';
import type { ResourceName } from '../domain/names.js';
import type { Subject } from '../domain/subject.js';
import type { Instant } from '../domain/time.js';
import { Generations } from './generations.js';
import type { Key } from './keys.js';

/** One entry of the index that finds the grants of a subject on a resource. */
export interface IndexedGrant {
  /** Of the entry itself. */
  readonly key: Key;
  readonly end: Instant;
  readonly id: GrantId;
  /** Of the grant. */
  readonly grantKey: Key;
}

interface Walked {
  readonly sequence: number;
  /** The time it was walked at: entries that had ended by then were left out, but for one. */
  readonly at: Instant;
  readonly entries: readonly IndexedGrant[];
}

/** Room for so many busy subjects. */
const REMEMBERED = 8_192;

/**
 * Spares the check path from walking the index of grants again while nothing has changed.
 *
 * The index is a function of the number of the last change, which whoever asks has just read, with its MAC, from a fresh
 * snapshot. So what was walked at that number is what is there now. The grants themselves are always read.
 */
export class GrantIndex {
  readonly #bySubject = new Generations<Map<ResourceName, Walked>>(REMEMBERED);

  find(subject: Subject, resource: ResourceName, sequence: number, now: Instant): readonly IndexedGrant[] | undefined {
    const walked = this.#bySubject.get(subject)?.get(resource);
    // Before the time of the walk more may have been live.
    return walked !== undefined && walked.sequence === sequence && walked.at <= now ? walked.entries : undefined;
  }

  keep(subject: Subject, resource: ResourceName, walked: Walked): void {
    const resources = this.#bySubject.get(subject) ?? new Map<ResourceName, Walked>();
    resources.set(resource, walked);
    this.#bySubject.set(subject, resources);
  }
}
