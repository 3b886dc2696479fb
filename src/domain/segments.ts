/**
 * One matcher for everything that has segments: paths of requests and names of subjects. `*` stands for one non-empty
 * segment, `**` for zero or more segments and only at the end. No regular expressions: what a pattern matches can be
 * read off it, and matching is linear.
 */
export type SegmentPattern = readonly string[];

/** Takes a pattern apart; null when `**` is not at the end, or a `*` stands beside other characters. */
export function parseSegments(text: string): SegmentPattern | null {
  const segments = text.split('/');
  const wellFormed = segments.every(
    (segment, i) => segment === '*' || (segment === '**' && i === segments.length - 1) || !segment.includes('*'),
  );
  return wellFormed ? segments : null;
}

/** Whether the pattern covers the text from `from` on, segment by segment. */
export function matchesSegments(pattern: SegmentPattern, text: string, from = 0): boolean {
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.length - 1 : pattern.length;
  let start = from;
  for (let i = 0; i < fixed; i++) {
    if (start > text.length) return false; // no further segment
    const slash = text.indexOf('/', start);
    const end = slash < 0 ? text.length : slash;
    const wanted = pattern[i]!;
    const fits = wanted === '*' ? end > start : end - start === wanted.length && text.startsWith(wanted, start);
    if (!fits) return false;
    start = end + 1;
  }
  return open || start > text.length;
}
