import { isLocal } from './address.js';

/**
 * Reads where notices are posted, in the one spelling of the address; null when it could be read on the way there, or
 * carries a secret that would be printed with the configuration.
 */
export function parseWebhook(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isHere = isLocal({ kind: 'tcp', host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: 0 });
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isHere);
  return isSafe && url.username === '' && url.password === '' && url.hash === '' ? url.href : null;
}
