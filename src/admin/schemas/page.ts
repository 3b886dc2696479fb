import { z } from 'zod';
import { cursorField, limitField } from './fields.js';

/** What every listing takes. */
export const pagingFields = { limit: limitField, cursor: cursorField.optional() };

/** A page of a listing. */
export function pageOf<T extends z.ZodType>(item: T, id: string) {
  return z
    .strictObject({
      items: z.array(item),
      next: z.string().nullable().meta({
        description: 'The `cursor` of the next page; null on the last. A page may be short, even empty, before.',
      }),
    })
    .meta({ id });
}
