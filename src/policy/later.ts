/**
 * Keys that later versions bring. To skip one would be worse than to refuse it: a policy would admit more than its
 * author wrote.
 */
export const LATER: ReadonlySet<string> = new Set([
  'auto',
  'bind',
  'bindings',
  'breakGlass',
  'cluster',
  'conditions',
  'deny',
  'extension',
  'headers',
  'hold',
  'pass',
  'receipts',
  'shadow',
  'start',
  'ticket',
  'uses',
  'windows',
]);
