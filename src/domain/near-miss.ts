/** `; did you mean "sre"?` when one of `known` is nearly `word`, else nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    const distance =
      name.toLowerCase() === word.toLowerCase() ? 0 : distanceBetween(...withoutWhatIsCommon(word, name));
    if (distance <= tolerance(word) && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best ? `; did you mean ${JSON.stringify(best.name)}?` : '';
}

/** Of a short word nearly everything is a neighbour. */
function tolerance(word: string): number {
  return word.length <= 3 ? 1 : 2;
}

/** The parts where they differ: subjects of one trust entry have long beginnings in common, and there may be thousands. */
function withoutWhatIsCommon(a: string, b: string): [string, string] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

/** Letters inserted, left out, replaced, or swapped with their neighbour; Infinity when more than two of them. */
function distanceBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same, swapped ? before[j - 2]! + 1 : Infinity);
    }
    if (Math.min(...row) > 2) return Infinity;
    before = above;
    above = row;
  }
  return above[b.length]!;
}
