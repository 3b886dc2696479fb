import { stringify } from 'yaml';

/** Plain values as YAML that `parseYaml` reads; members that are null are left out. */
export function writeYaml(value: unknown): string {
  const withoutNull = (_key: unknown, member: unknown) => (member === null ? undefined : member);
  return stringify(value, withoutNull, { schema: 'core', lineWidth: 0, aliasDuplicateObjects: false });
}
