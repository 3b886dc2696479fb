/** One block of a PEM text. */
export interface PemBlock {
  /** What stands behind BEGIN, such as `CERTIFICATE`. */
  readonly label: string;
  /** Null when the block is not whole or its content is not base64. */
  readonly der: Buffer | null;
}

// Finds every BEGIN, also of a block that is not whole: such a one must be complained about, not passed over.
const BLOCK = /-----BEGIN ?([^\n\r-]*)(?:-----\r?\n([A-Za-z0-9+/=\r\n]*)-----END \1-----)?/g;

/** All blocks of a text, in order. What stands between them is for people, as `openssl` writes it there. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return Array.from(text.matchAll(BLOCK), ([, label, content]) => ({
    label: label!,
    der: content === undefined ? null : decodeBase64(content.replaceAll(/[\r\n]/g, '')),
  }));
}

/** The bytes of base64 in its one spelling: full groups, padded, nothing behind the last byte. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : null;
}
