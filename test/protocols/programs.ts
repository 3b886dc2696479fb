import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that Debian's packages put beside the path of a person. */
const BESIDE = ['/usr/sbin', '/sbin', ...versions('/usr/lib/postgresql').map((version) => join(version, 'bin'))];

/** Where a program is; null where it is not installed. */
function findProgram(name: string): string | null {
  const folders = [...process.env['PATH']!.split(delimiter), ...BESIDE];
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/**
 * The programs by their names. `missing` says why some are not there, and is empty otherwise.
 *
 * @throws {Error} with PORTCULLIS_REQUIRE=protocols, when one is not there
 */
export function programsForTests<const N extends string>(
  ...names: readonly N[]
): { readonly programs: Readonly<Record<N, string>>; readonly missing: string } {
  const found = names.map((name) => [name, findProgram(name)] as const);
  const absent = found.filter(([, path]) => path === null).map(([name]) => name);
  const missing = absent.length === 0 ? '' : `${absent.join(', ')} not installed: test/protocols/install.sh`;
  if (missing && process.env['PORTCULLIS_REQUIRE']?.split(',').includes('protocols'))
    throw new Error(`required and missing: ${missing}`);
  return { programs: Object.fromEntries(found) as Record<N, string>, missing };
}

/** Newest first. */
function versions(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort((a, b) => Number(b) - Number(a))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
