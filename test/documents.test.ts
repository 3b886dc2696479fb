import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config.js';
import type { ResourceName, TrustName } from '../src/domain/names.js';
import { HOLD_PLACES } from '../src/access/hold-places.js';
import { OPENED_AT_MOST } from '../src/access/open-held.js';
import { printDuration } from '../src/domain/durations.js';
import { LONGEST_HOLD, longestHolds } from '../src/domain/hold.js';
import { seconds } from '../src/domain/time.js';
import { routeSettings } from '../src/envoy-config/ext-authz.js';
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

describe('docs/hold.md', () => {
  const page = readFileSync('docs/hold.md', 'utf8');

  test('its policy loads without a warning, and holds', () => {
    const [, text] = /^```yaml policy\n([\s\S]*?)^```$/m.exec(page)!;
    const reading = readPolicyFiles([{ name: 'policy.yaml', bytes: Buffer.from(text!) }], {
      trust: ['corp' as TrustName],
    });
    expect(reading.ok ? [] : reading.problems.map(printProblem)).toEqual([]);
    expect(reading.warnings.map(printProblem)).toEqual([]);
    expect(reading.ok && [...longestHolds(reading.set)]).toEqual([
      ['billing-api', 30_000],
      ['orders-db', 30_000],
    ]);
  });

  test('its settings are those that are written for such a route', () => {
    const [, text] = /^```yaml\n(check_settings:[\s\S]*?)^```$/m.exec(page)!;
    const written = routeSettings('billing-api' as ResourceName, { hold: seconds(30) });
    expect(Object.values(written)).toMatchObject([parse(text!)]);
  });

  test('its limits are those of the code', () => {
    const { ofOne, ofPerson, inAll } = HOLD_PLACES;
    expect(page).toContain(`${ofOne} of a subject for a resource, ${ofPerson} of a person, ${inAll} in all`);
    expect(page).toContain(`| ${OPENED_AT_MOST} within 10 minutes |`);
    expect(page).toContain(`1s to ${printDuration(LONGEST_HOLD)}`);
  });
});

test('the configuration of docs/notifications.md loads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-docs-'));
  const [, notify] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync('docs/notifications.md', 'utf8'))!;
  for (const name of ['policy', 'keys']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'ca.crt'), testCa().pem);
  writeFileSync(join(folder, 'notify.sh'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'keys/notify.key'), 'k'.repeat(64), { mode: 0o640 });
  writeFileSync(join(folder, 'portcullis.yaml'), `trust: [{ name: corp, ca: ./ca.crt }]\n${notify}`);
  const config = loadConfig({ file: join(folder, 'portcullis.yaml'), env: {} });
  expect(config.ok ? [] : config.problems.map(printProblem)).toEqual([]);
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
  const shown = steps.slice(0, steps.indexOf('and the connection with it') + 1);
  expect(shown.length).toBeGreaterThan(5);
  expect(shown.filter((what, i) => !recording.includes(`${i + 1}. ${what}<`))).toEqual([]);
  expect(recording).toMatch(/closed by Envoy: cut after \d+ ms<\/text>\n<\/g>/);
});

test('the recording begins with its first step, comes to the cut within ten seconds, and stands still for whoever wants that', () => {
  const recording = readFileSync('docs/tour.svg', 'utf8');
  const [, moving] = /@media \(prefers-reduced-motion: no-preference\) \{\n([\s\S]*?)\n\}\n<\/style>/.exec(recording)!;
  expect(recording.replace(moving!, '')).not.toMatch(/animat|opacity/);
  const seconds = Number(/animation: ([\d.]+)s/.exec(moving!)![1]);
  const shares = [...moving!.matchAll(/from \{ opacity: 0\.\d+ \} ([\d.]+)% \{ opacity: 1 \}/g)].map(([, share]) =>
    Number(share),
  );
  const cutAt = (seconds * shares.at(-1)!) / 100;
  expect(cutAt).toBeLessThan(10);
  expect(seconds - cutAt).toBeGreaterThan(5);
  expect(recording).toContain('class="step">1. ');
});

test('the picture is what its script draws', () => {
  expect(execFileSync(process.execPath, ['scripts/picture.mjs', '--check'], { encoding: 'utf8' })).toBe('');
});
