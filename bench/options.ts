import { parseArgs, type ParseArgsConfig } from 'node:util';

/** What a benchmark can be told, each with a word of help and what holds when it is not told. */
export type Options = Readonly<
  Record<string, { readonly help: string; readonly default: string | boolean; readonly value?: string }>
>;

export interface Told {
  readonly text: (name: string) => string;
  readonly flag: (name: string) => boolean;
  /** A number above 0. */
  readonly number: (name: string) => number;
}

/** Reads the arguments; null after `--help`, when everything has been said. */
export function readOptions(about: string, options: Options): Told | null {
  const spec = Object.entries(options).map(([name, { default: value }]) => [
    name,
    typeof value === 'boolean' ? { type: 'boolean', default: value } : { type: 'string', default: value },
  ]);
  const config = { options: { ...Object.fromEntries(spec), help: { type: 'boolean' } } } as ParseArgsConfig;
  const { values } = parseArgs(config) as { readonly values: Record<string, string | boolean> };
  if (values['help']) {
    console.log(helpText(about, options));
    return null;
  }
  return {
    text: (name) => String(values[name]),
    flag: (name) => values[name] === true,
    number: (name) => numberOf(name, String(values[name])),
  };
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} takes a number above 0, got ${JSON.stringify(text)}`);
}

function helpText(about: string, options: Options): string {
  const lines = Object.entries(options).map(([name, { help, default: value, value: word = 'N' }]) => {
    const left = typeof value === 'boolean' ? `--${name}` : `--${name} ${word}`;
    return `  ${left.padEnd(20)} ${help}${typeof value === 'string' && value !== '' ? ` (${value})` : ''}`;
  });
  return [about, '', ...lines, `  ${'--help'.padEnd(20)} this`].join('\n');
}

/** Options that several benchmarks have. */
export const GRANTS = { default: '1000000', help: 'grants in the store, all of them live' } as const;
export const CHECKOUT = {
  default: '',
  value: 'FOLDER',
  help: 'another checkout, built, whose service is measured in place of this one',
} as const;
export const AHEAD = {
  default: false,
  help: 'run before everything else on this machine (nice -20, for root): for one that is not quiet',
} as const;
