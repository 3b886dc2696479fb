import { visibleNotation } from './visible.js';

/** JSON over several lines, safe for a terminal and unchanged in meaning. */
export function toJson(value: unknown): string {
  return visibleNotation(JSON.stringify(value, null, 2));
}

/** JSON on one line, for streams. */
export function toJsonLine(value: unknown): string {
  return visibleNotation(JSON.stringify(value));
}

/** One YAML document, safe for a terminal and unchanged in meaning. */
export async function toYaml(value: unknown): Promise<string> {
  // Loaded when asked for: nobody else has to wait for it. A module of ours, since the bundle has no names for what it
  // loads late from a package in CommonJS.
  const { yamlOf } = await import('./yaml.js');
  return visibleNotation(yamlOf(value)).trimEnd();
}
