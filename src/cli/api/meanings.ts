import type { ErrorCode } from '../../domain/errors.js';
import { EXIT } from '../exit-codes.js';

/** Codes of calls that no use case has heard of. */
type CallCode =
  | 'method_not_allowed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'headers_too_large'
  | 'too_slow'
  | 'too_many_calls'
  | 'overloaded'
  | 'internal_error';

/** What a refusal means for whoever typed the command. */
export interface Meaning {
  readonly exit: number;
  readonly hint: string;
}

const VERSIONS = 'command line and service may be of different versions: compare portcullis version with its /version';
const OPERATOR = 'the log of the service says why; its operator must look at it';

/** Forgetting a code here is a compile error. */
export const MEANINGS = {
  invalid_subject: meaning(EXIT.usage, 'write a subject as in corp/spiffe://corp/alice; portcullis whoami shows yours'),
  invalid_duration: meaning(EXIT.usage, 'give another length with --for, such as 30m or 2h'),
  invalid_request: meaning(EXIT.usage, 'the options of the command are listed by --help'),
  unauthenticated: meaning(
    EXIT.notPermitted,
    'give --cert and --key, or --token-file with a token that is still usable',
  ),
  not_permitted: meaning(EXIT.notPermitted, 'portcullis whoami shows as whom you call and which roles you have'),
  self_review: meaning(EXIT.notPermitted, 'somebody else must review it; portcullis requests shows who can'),
  no_policy: meaning(
    EXIT.notPermitted,
    'ask whoever keeps the policies; for fewer actions (--action) another policy may do',
  ),
  choose_policy: meaning(EXIT.usage, 'name one with --policy'),
  choose_subject: meaning(EXIT.usage, 'name one with --subject'),
  justification_required: meaning(EXIT.usage, 'add --reason "..."'),
  unknown_target: meaning(EXIT.usage, 'nothing is locked; --unknown-ok locks that name all the same'),
  not_found: meaning(EXIT.notFound, 'it may be a slip, or something you may not see; the listings show what you may'),
  already_decided: meaning(
    EXIT.conflict,
    'nothing was changed; ask again with portcullis request if access is still needed',
  ),
  digest_mismatch: meaning(EXIT.conflict, 'nothing was approved; look at the request again and compare'),
  policy_changed: meaning(EXIT.conflict, 'the requester must ask again, under the policy that is in force now'),
  idempotency_conflict: meaning(EXIT.conflict, 'run the command again'),
  precondition_failed: meaning(EXIT.conflict, 'somebody was faster; look at it again'),
  too_many_pending: meaning(
    EXIT.conflict,
    'portcullis requests --mine --state pending lists them; withdraw what you no longer need',
  ),
  quota_used_up: meaning(EXIT.conflict, 'nothing was made; the message says when the next one may be'),
  method_not_allowed: meaning(EXIT.usage, VERSIONS),
  body_too_large: meaning(EXIT.usage, 'use shorter texts'),
  unsupported_media_type: meaning(EXIT.usage, VERSIONS),
  headers_too_large: meaning(EXIT.usage, 'use shorter values'),
  too_slow: meaning(EXIT.unreachable, 'the way to the service is slow; try again'),
  too_many_calls: meaning(EXIT.unreachable, 'wait a little, then try again'),
  overloaded: meaning(EXIT.serviceFailed, 'wait a little, then try again'),
  storage_full: meaning(EXIT.serviceFailed, 'the disk of the service is nearly full: its operator must make room'),
  storage_failed: meaning(EXIT.serviceFailed, OPERATOR),
  clock_suspect: meaning(EXIT.serviceFailed, OPERATOR),
  shutting_down: meaning(EXIT.serviceFailed, 'try again when the service is back'),
  internal_error: meaning(EXIT.serviceFailed, OPERATOR),
} as const satisfies Record<ErrorCode | CallCode, Meaning>;

function meaning(exit: number, hint: string): Meaning {
  return { exit, hint };
}
