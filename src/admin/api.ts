import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Dependencies } from '../access/dependencies.js';
import type { Drafts } from '../access/drafts.js';
import type { Events } from '../access/events/events.js';
import type { LiveSessions } from '../access/live-sessions.js';
import type { DenyReason } from '../domain/decision.js';
import type { TrustName } from '../domain/names.js';
import type { Identifier } from '../identity/identify.js';

/** The server while routes are added to it. */
export type AdminApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes draw on; each takes the few it uses. */
export interface Api {
  readonly needed: Dependencies;
  readonly sessions: LiveSessions;
  readonly drafts: Drafts;
  readonly events: Events;
  readonly identifier: Identifier;
  /** 32 random bytes, for new tokens. */
  readonly randomSecret: () => Uint8Array;
  /** Of the service. */
  readonly version: string;
  /** Why the service answers checks with nothing but denies; null while it serves. */
  readonly serving: () => DenyReason | null;
  /** Whether everything that follows from the policies in force is written down. */
  readonly policiesSettled: () => boolean;
  /** By which clients reach Envoy; null where that is not known here. */
  readonly publicHost: string | null;
  /** The trust entry that subjects may leave out; undefined when there are several. */
  readonly soleTrust?: TrustName | undefined;
}
