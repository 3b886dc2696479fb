/**
 * The path of a request as it is matched, without its query; null when it has more than one reading. Such a path is a
 * deny and never repaired: whoever repairs it here reads it differently from the upstream.
 */
export function unambiguousPath(target: string): string | null {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  return path.startsWith('/') && !MISSPELLED.test(path) && meansOneThing(path) ? path : null;
}

// Each row has one reading here and another somewhere else.
const MISSPELLED = new RegExp(
  [
    /\/\//, // an empty segment
    /[;\\#]/, // path parameters, a slash to some, a fragment
    /["<>^`{}]/, // encoded by whoever parses and prints the URL on the way
    /[^\x21-\x7e]/, // control characters, spaces, non-ASCII
    /%(?![0-9a-f]{2})/, // a broken code
  ]
    .map((row) => row.source)
    .join('|'),
  'i',
);

// What a percent code must not hide: slash, backslash, semicolon, NUL and other control characters. And dot segments,
// of which an encoded one shows in the next round.
const HIDDEN = /%(?:2f|5c|3b|[01][0-9a-f]|7f)|\/\.{1,2}(?:\/|$)/i;

/** Proxies in a row each decode once. What is still encoded after so many rounds was made to confuse one of them. */
const ROUNDS = 4;

function meansOneThing(path: string): boolean {
  if (!path.includes('%')) return !HIDDEN.test(path); // the same, sooner
  let layer = path;
  for (let round = 0; round < ROUNDS; round++) {
    if (HIDDEN.test(layer) || !isUtf8(layer)) return false;
    const decoded = layer.replace(/%([2-7][0-9a-f])/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    if (decoded === layer) return true;
    layer = decoded;
  }
  return false;
}

/** Overlong and broken UTF-8 behind percent codes is `/` to a lenient decoder. */
function isUtf8(path: string): boolean {
  const encoded = path.match(/(?:%[89a-f][0-9a-f])+/gi) ?? [];
  return encoded.every(decodes);
}

function decodes(code: string): boolean {
  try {
    decodeURIComponent(code);
    return true;
  } catch {
    return false;
  }
}
