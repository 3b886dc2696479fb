import type { ActionPattern } from '../domain/action-pattern.js';

/** The one spelling of an action pattern: its methods in the order of their letters. */
export function printActionPattern({ methods, path }: ActionPattern): string {
  return `${methods.toSorted().join(',')} /${path.join('/')}`;
}
