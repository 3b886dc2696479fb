import { didYouMean } from '../domain/near-miss.js';
import { printPath, type Findings, type Path, type Place } from '../policy/problem.js';
import { parseYaml } from '../policy/yaml-file.js';
import { isVisible } from '../policy/yaml-text.js';
import type { Plain } from '../policy/yaml-tree.js';
import { flagOf, SETTINGS, variableOf, type Setting } from './settings.js';

/** A value that a variable or a flag puts over the file's. */
export interface Override {
  readonly setting: Setting;
  readonly value: Plain;
  /** Where a part of it stands, by its path in the whole configuration. */
  readonly placeOf: (path: Path) => Place;
}

/** Variables that are no keys of the configuration: what the command line client reads. */
const CLIENT_VARIABLES = [
  'CONFIG',
  'URL',
  'TOKEN',
  'TOKEN_FILE',
  'CERT',
  'KEY',
  'CA',
  'CONTEXT',
  'REQUIRE',
  'ADMIN_SOCKET',
].map((name) => `PORTCULLIS_${name}`);

const BY_VARIABLE = new Map(SETTINGS.map((setting) => [variableOf(setting), setting]));
const BY_NAME = new Map(SETTINGS.map((setting) => [setting.name, setting]));

/** What the environment sets. A variable that means nothing is a problem: it may be a misspelt restriction. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>, findings: Findings): Override[] {
  const names = Object.keys(env).filter((name) => name.startsWith('PORTCULLIS_') && !CLIENT_VARIABLES.includes(name));
  return names.sort().flatMap((name) => {
    const setting = BY_VARIABLE.get(name);
    if (setting) return override(setting, name, env[name] ?? '', findings);
    const hint = didYouMean(name, BY_VARIABLE.keys()) || '; remove it';
    findings.problem({ source: name, at: null, path: '' }, `no such variable${hint}`);
    return [];
  });
}

/** What flags set, by the names of the settings. */
export function fromFlags(flags: Readonly<Record<string, string>>, findings: Findings): Override[] {
  return Object.entries(flags).flatMap(([name, text]) => {
    const setting = BY_NAME.get(name);
    if (setting) return override(setting, flagOf(setting), text, findings);
    findings.problem({ source: name, at: null, path: '' }, `no such setting${didYouMean(name, BY_NAME.keys())}`);
    return [];
  });
}

function override(setting: Setting, source: string, text: string, findings: Findings): Override[] {
  const place: Place = { source, at: null, path: setting.name };
  if (!isVisible(text)) {
    findings.problem(place, 'expected visible text');
    return [];
  }
  if (setting.form === 'text') return [{ setting, value: text, placeOf: () => place }];
  const { document, problems } = parseYaml(source, new TextEncoder().encode(text));
  findings.problems.push(...problems);
  if (!document) return [];
  const placeOf = (path: Path): Place => {
    const place = document.placeOf(path.slice(setting.path.length));
    return { ...place, path: printPath(path) };
  };
  return [{ setting, value: document.root, placeOf }];
}
