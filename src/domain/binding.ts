import { isWithin } from './address.js';

/** What a grant is bound to besides its subject. Null: to nothing of the kind; an empty list of sources fits nobody. */
export interface Binding {
  /** SHA-256 of the certificate's public key (SubjectPublicKeyInfo), hexadecimal. */
  readonly key: string | null;
  /** Networks such as `10.0.0.7/32`. */
  readonly sources: readonly string[] | null;
}

/** What a connection shows of itself. What is not known fits no binding. */
export interface Bearer {
  readonly key: string | null;
  /** An address, with or without a port, or a whole network. */
  readonly source: string | null;
}

/** Why a connection is not the one that was meant; null if it is. */
export function whyUnbound(
  binding: Binding | undefined,
  { key, source }: Bearer,
): 'bound_to_other_key' | 'bound_to_other_source' | null {
  if (binding === undefined) return null;
  if (binding.key !== null && binding.key !== key) return 'bound_to_other_key';
  if (binding.sources === null) return null;
  const isOne = source !== null && binding.sources.some((network) => isWithin(source, network));
  return isOne ? null : 'bound_to_other_source';
}
