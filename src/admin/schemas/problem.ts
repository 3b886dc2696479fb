import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from '../problem.js';

/** What every refused call is answered with. */
export const ProblemDocument = z
  .strictObject({
    type: z.string().meta({ description: '`urn:portcullis:error:` and the code.' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode]).meta({ description: 'Stable; programs look at this.' }),
    detail: z.string().meta({ description: 'For people. Says what to do.' }),
    problems: z
      .array(
        z.strictObject({
          in: z.enum(['body', 'query', 'path']),
          pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) to what is wrong; empty for the whole.' }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Where the input does not match its schema.' }),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' });
