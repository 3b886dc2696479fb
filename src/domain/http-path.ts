/**
 * The path of a request as it is matched, without its query; null when it has more than one reading. Such a path is a
 * deny and never repaired: whoever repairs it here reads it differently from the upstream.
 */
export function unambiguousPath(target: string): string | null {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (!path.startsWith('/') || AMBIGUOUS.test(path)) return null;
  return !ENCODED_NON_ASCII.test(path) || isUtf8(path) ? path : null;
}

// Each row has one reading here and another somewhere else. `%(?:25)*` also finds what a second decoding brings back.
const AMBIGUOUS = new RegExp(
  [
    /\/\//, // an empty segment
    /[;\\#]/, // path parameters, a slash to some, a fragment
    /[^\x21-\x7e]/, // control characters, spaces, non-ASCII
    /%(?![0-9a-f]{2})/, // a broken code
    /%(?:25)*(?:2f|5c|3b|[01][0-9a-f]|7f)/, // encoded slash, backslash, semicolon, NUL and other control characters
    /\/(?:\.|%(?:25)*2e){1,2}(?:\/|$)/, // a dot segment, however it is spelled
  ]
    .map((row) => row.source)
    .join('|'),
  'i',
);

const ENCODED_NON_ASCII = /%[89a-f]/i;

/** Overlong and broken UTF-8 behind percent codes is `/` to a lenient decoder. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
