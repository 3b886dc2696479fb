import { Fields } from '../../src/authz/wire.js';

/** As Envoy reads it: a CheckResponse whose status has no code, or that has no status, is an allow. */
export type Verdict = 'allow' | 'deny' | 'failed';

const FRAME_BYTES = 5;

/** Takes the body of an answer with its gRPC frame. No body at all is a call that failed. */
export function verdictOf(body: Buffer): Verdict {
  if (body.length < FRAME_BYTES) return 'failed';
  let code = 0;
  for (const answer = new Fields(body, FRAME_BYTES); answer.next();) {
    if (answer.number !== 1) answer.skip();
    else {
      for (const status = answer.message(); status.next();) {
        if (status.number === 1) code = status.uint32();
        else status.skip();
      }
    }
  }
  return code === 0 ? 'allow' : 'deny';
}
