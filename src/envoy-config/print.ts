import { stringify } from 'yaml';

const HEADING = '# Written by "portcullis envoy config". Changes made by hand are lost the next time.\n';

/**
 * A message as YAML. All text is in double quotes: Envoy reads more plain words than YAML 1.2 does as something else
 * (a resource called `on` would become true, one called `1e3` a number).
 */
export function printMessage(message: unknown): string {
  const options = { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', schema: 'core' } as const;
  return HEADING + stringify(message, { ...options, lineWidth: 0, aliasDuplicateObjects: false });
}
