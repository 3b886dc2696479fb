import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { typed } from '../../../test/cli/typed.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(folder, shell), (await typed(['completion', shell])).out);
  writeFileSync(join(folder, 'own file.yaml'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

describe('bash', () => {
  /** What bash offers for the last of these words. */
  function offered(...words: string[]): string[] {
    const script = `
      source ${JSON.stringify(join(folder, 'bash'))}
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _portcullis
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', script, 'bash', 'portcullis', ...words], { cwd: folder });
    return out.toString().split('\n').filter(Boolean);
  }

  test('reads the script without a complaint', () => {
    const { status, stderr } = spawnSync('bash', ['-n', join(folder, 'bash')]);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  });

  test.for<[string[], string[]]>([
    [['req'], ['request', 'requests']],
    [
      ['token', ''],
      ['create', 'revoke'],
    ],
    [['tok'], ['token', 'tokens']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['request', 'orders-db', '--wa'], ['--wait']],
    [
      ['requests', '-o', ''],
      ['table', 'json', 'yaml'],
    ],
    [['requests', '--output', 'j'], ['json']],
    [['requests', '--state', 'p'], ['pending']],
    [['--context', 'own'], ['own file.yaml']],
    [['requests', '--cert', 'own'], ['own file.yaml']],
    [['request', '--reason', ''], []],
    [['token', 'create', '--se'], ['--service']],
    [['policy', 'check', 'own'], ['own file.yaml']],
    // The value of an option is no command, even where it reads like one.
    [['requests', '--resource', 'token', '--min'], ['--mine']],
  ])('%j goes on with %j', ([words, want]) => {
    expect(offered(...words)).toEqual(want);
  });
});

describe.skipIf(!isInstalled('zsh'))('zsh (skipped where it is not installed)', () => {
  test('reads the script without a complaint', () => {
    const { status, stderr } = spawnSync('zsh', ['-n', join(folder, 'zsh')]);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  });
});

describe.skipIf(!isInstalled('fish'))('fish (skipped where it is not installed)', () => {
  const offered = (line: string) =>
    execFileSync('fish', ['--no-config', '-c', `source ${join(folder, 'fish')}; complete -C ${JSON.stringify(line)}`])
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((one) => one.split('\t')[0]);

  test('completes commands, options and their values', () => {
    expect(offered('portcullis withd')).toEqual(['withdraw']);
    expect(offered('portcullis token ')).toEqual(['create', 'revoke']);
    expect(offered('portcullis requests -o j')).toEqual(['json']);
  });
});
