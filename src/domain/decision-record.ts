import type { DenyReason } from './decision.js';
import type { DecisionId, GrantId, LockId, RequestId } from './ids.js';
import type { ActionName, PersonId, PolicyName, ResourceName } from './names.js';
import type { Subject } from './subject.js';
import type { Instant } from './time.js';

/** What is kept of one check. Its id stands in Envoy's access log and in the answer. */
export interface DecisionRecord {
  readonly id: DecisionId;
  readonly at: Instant;
  readonly effect: 'allow' | 'deny';
  /** Null for an allow. */
  readonly reason: DenyReason | null;
  readonly subject: Subject | null;
  readonly person: PersonId | null;
  readonly resource: ResourceName | null;
  readonly actions: readonly ActionName[];
  readonly grantId: GrantId | null;
  readonly requestId: RequestId | null;
  readonly policy: PolicyName | null;
  readonly lockId: LockId | null;
  /** Where the client connected from, as Envoy reports it. */
  readonly source: string | null;
  /** `GET /path` without the query for HTTP; null for TCP. */
  readonly request: string | null;
  /** What was missing or wrong, where there is more to say than the reason. */
  readonly message: string | null;
  /** Number of the last change that the decision knew. */
  readonly asOf: number;
}
