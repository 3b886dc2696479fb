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

/** Whether the pattern covers the text, segment by segment. */
export function matchesSegments(pattern: SegmentPattern, text: string): boolean {
  const segments = text.split('/');
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.length - 1 : pattern.length;
  if (open ? segments.length < fixed : segments.length !== fixed) return false;
  for (let i = 0; i < fixed; i++) {
    const wanted = pattern[i];
    if (wanted === '*' ? segments[i] === '' : wanted !== segments[i]) return false;
  }
  return true;
}
