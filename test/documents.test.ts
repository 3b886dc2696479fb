import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config.js';
import type { TrustName } from '../src/domain/names.js';
import { printProblem } from '../src/policy/problem.js';
import { readPolicyFiles } from '../src/policy/read.js';
import { createMacKey } from '../src/store/mac-key.js';
import { testCa } from './pki.js';

const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...below('docs'),
  'envoy/README.md',
  'proto/README.md',
];

function below(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

describe('links', () => {
  test.for(pages)('of %s lead to files that exist', (page) => {
    const targets = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
    const missing = targets.filter((target) => !/^https?:/.test(target) && !existsSync(resolve(dirname(page), target)));
    expect(missing).toEqual([]);
  });
});

describe('the invariants of ARCHITECTURE.md', () => {
  const rows = [...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/^\| .* \| (`(?:src|test|bench)\/.*) \|$/gm)].map(
    (match) => match[1]!,
  );

  test('there are some', () => expect(rows.length).toBeGreaterThan(20));

  test.for(rows)('%s', (cell) => {
    for (const [, file, name] of cell.matchAll(/`([^`]+)`(?: "([^"]+)")?/g)) {
      expect(existsSync(file!), file).toBe(true);
      if (name) expect(readFileSync(file!, 'utf8')).toContain(name);
    }
  });
});

describe('docs/configuration.md', () => {
  const blocks = [...readFileSync('docs/configuration.md', 'utf8').matchAll(/^```yaml( policy)?\n([\s\S]*?)^```$/gm)];
  const trust = ['corp' as TrustName];

  test('its configuration loads', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-docs-'));
    writeFileSync(join(folder, 'ca.crt'), testCa().pem);
    execFileSync('mkdir', ['-p', join(folder, 'policy'), join(folder, 'keys')]);
    createMacKey(join(folder, 'keys/store.key'));
    writeFileSync(join(folder, 'portcullis.yaml'), blocks.find(([, kind]) => !kind)![2]!);
    const config = loadConfig({ file: join(folder, 'portcullis.yaml'), env: {} });
    expect(config.ok ? [] : config.problems.map(printProblem)).toEqual([]);
  });

  test('its policies load, without a warning', () => {
    const text = blocks.find(([, kind]) => kind)![2]!;
    const reading = readPolicyFiles([{ name: 'policy.yaml', bytes: Buffer.from(text) }], { trust });
    expect(reading.ok ? [] : reading.problems.map(printProblem)).toEqual([]);
    expect(reading.warnings.map(printProblem)).toEqual([]);
  });
});

describe('the dependencies', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
    'dependencies' | 'devDependencies' | 'scripts',
    Record<string, string>
  >;

  test.for(Object.keys(manifest.dependencies))('%s has a line in ARCHITECTURE.md', (name) => {
    expect(readFileSync('ARCHITECTURE.md', 'utf8')).toContain(`\`${name}\``);
  });

  test('all have exact versions, and the lock file names no host', () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(readFileSync('package-lock.json', 'utf8')).not.toContain('"resolved"');
  });
});

test('the recording of the tour has its steps as they are', () => {
  const recording = readFileSync('docs/tour.svg', 'utf8');
  const steps = [...readFileSync('src/demo/tour.ts', 'utf8').matchAll(/player\.step\(\s*'([^']+)'/g)].map(
    ([, what]) => what!,
  );
  expect(steps.length).toBeGreaterThan(10);
  expect(steps.filter((what, i) => !recording.includes(`${i + 1}. ${what}<`))).toEqual([]);
});

test('the picture is what its script draws', () => {
  expect(execFileSync(process.execPath, ['scripts/picture.mjs', '--check'], { encoding: 'utf8' })).toBe('');
});
