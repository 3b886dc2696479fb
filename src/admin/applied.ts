import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { LiveSessions } from '../access/live-sessions.js';
import { unappliedView, type UnappliedAnswer } from './schemas/session.js';

/** How long an ending waits for the guards, in milliseconds. */
const WAIT_MS = 200;

/**
 * Waits for the guards after a change that ends access, unless the caller does not want to. The change is on disk whatever comes
 * of it, and every check obeys it: 202, with the guards in question, says that somewhere something may still live that it has
 * ended.
 */
export async function applied<T extends object>(
  reply: FastifyReply,
  sessions: Pick<LiveSessions, 'settle'>,
  { wait = true }: { readonly wait?: boolean | undefined },
  view: () => T,
): Promise<T & { readonly unapplied?: z.output<typeof UnappliedAnswer> }> {
  const late = await sessions.settle(wait ? WAIT_MS : 0);
  if (late.length === 0) return view();
  reply.code(202);
  return { ...view(), unapplied: unappliedView(late) };
}
