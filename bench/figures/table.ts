/** Rows in columns: the first column to the left, all others to the right. The first row is the head. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A number with so many places behind the point, and a dash for what was not measured. */
export function shown(value: number, places = 0): string {
  return Number.isFinite(value) ? value.toFixed(places) : '-';
}

/** `12.3 (11.8-14.0)`: the median of several rounds and their range. */
export function shownRange(values: readonly number[], middle: number, places = 0): string {
  if (values.length < 2) return shown(middle, places);
  return `${shown(middle, places)} (${shown(Math.min(...values), places)}-${shown(Math.max(...values), places)})`;
}
