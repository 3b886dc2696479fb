import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_VERSION, findEnvoy, isSupported, type FoundEnvoy } from './find-envoy.js';

const root = mkdtempSync(join(tmpdir(), 'portcullis-find-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A path with some commands of ours in front of the few that scripts need, a cache, and an ear. */
function scene() {
  const home = mkdtempSync(join(root, 's-'));
  const [bin, cache] = [join(home, 'bin'), join(home, 'cache')];
  mkdirSync(bin);
  const said: string[] = [];
  return {
    bin,
    cache,
    said,
    command: (name: string, script: string) => command(join(bin, name), script),
    find: (given: string | null = null, over: { version?: string } = {}): Promise<FoundEnvoy> =>
      findEnvoy({ given, path: bin, cache, progress: (text) => said.push(text), ...over }),
  };
}

function command(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\nPATH=/bin:/usr/bin\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const printing = (version: string) => `echo "envoy  version: 0a1b2c/${version}/Clean/RELEASE/BoringSSL"`;

/** A python3 whose `venv` brings a `pip` that installs an Envoy which says its version; `pip` does `first` before. */
const pythonWith = (first = '', version = DEFAULT_VERSION) => `
[ "$1 $2" = "-m venv" ] || exit 9
mkdir -p "$3/bin"
cat > "$3/bin/pip" <<'PIP'
#!/bin/sh
PATH=/bin:/usr/bin
${first}
to="$(dirname "$0")/../lib/python3.99/site-packages/envoy/_bin"
mkdir -p "$to"
printf '#!/bin/sh\\n%s\\n' '${printing(version)}' > "$to/envoy"
chmod 755 "$to/envoy"
PIP
chmod 755 "$3/bin/pip"`;

describe('findEnvoy()', () => {
  test('takes the one that is named, by its path or by its name', async () => {
    const { command, find } = scene();
    const path = command('my-envoy', printing('1.39.3'));
    const found = { kind: 'binary', command: path, version: '1.39.3' };
    expect([await find(path), await find('my-envoy')]).toEqual([found, found]);
  });

  test('refuses what is named and is no Envoy, and looks no further', async () => {
    const { command, find } = scene();
    command('envoy', printing(DEFAULT_VERSION));
    const other = command('other', 'echo "Laravel Envoy 2.8"');
    for (const given of [other, '/nowhere/envoy', 'nowhere'])
      expect(await find(given)).toMatchObject({ kind: 'none', advice: expect.stringContaining(JSON.stringify(given)) });
  });

  test('takes an old one that is named, with a word', async () => {
    const { command, find, said } = scene();
    expect(await find(command('old', printing('1.38.3')))).toMatchObject({ kind: 'binary', version: '1.38.3' });
    expect(said.join()).toContain('1.38.3 is not supported');
  });

  test('takes the one in the path before it installs anything', async () => {
    const { command, find, cache } = scene();
    const path = command('envoy', printing('1.39.3'));
    command('python3', pythonWith());
    expect(await find()).toEqual({ kind: 'binary', command: path, version: '1.39.3' });
    expect(existsSync(cache)).toBe(false);
  });

  test.for([
    ['another program of that name', 'echo "Laravel Envoy 2.8"'],
    ['an old one', printing('1.38.3')],
    ['one that fails', `${printing(DEFAULT_VERSION)}; exit 1`],
  ] as const)('passes over %s in the path', async ([, script]) => {
    const { command, find, said } = scene();
    command('envoy', script);
    command('python3', pythonWith());
    expect(await find()).toMatchObject({ kind: 'binary', command: expect.stringContaining('site-packages') });
    expect(said.join()).toContain('looking further');
  });

  test('where a version is asked for, takes no other from the path', async () => {
    const { command, find } = scene();
    const path = command('envoy', printing('1.39.3'));
    command('python3', pythonWith());
    expect(await find(null, { version: '1.39.3' })).toMatchObject({ command: path });
    expect(await find(null, { version: DEFAULT_VERSION })).toMatchObject({ version: DEFAULT_VERSION });
  });

  test('installs one, tells so, and finds it there the next time', async () => {
    const { command, find, cache, said } = scene();
    command('python3', pythonWith(`echo once >> "${cache}.count"`));
    const binary = join(cache, `envoy-${DEFAULT_VERSION}`, 'lib/python3.99/site-packages/envoy/_bin/envoy');
    const found = { kind: 'binary', command: binary, version: DEFAULT_VERSION };
    expect([await find(), await find()]).toEqual([found, found]);
    expect(readFileSync(`${cache}.count`, 'utf8')).toBe('once\n');
    expect(readdirSync(cache)).toEqual([`envoy-${DEFAULT_VERSION}`]);
    expect(said).toEqual([expect.stringContaining(`installing Envoy ${DEFAULT_VERSION}`)]);
  });

  test('several at once all find a whole one, and leave nothing else behind', async () => {
    const { command, find, cache } = scene();
    command('python3', pythonWith('sleep 0.2'));
    const found = await Promise.all(Array.from({ length: 5 }, () => find()));
    expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(found[0]!.kind).toBe('binary');
    expect(readdirSync(cache)).toEqual([`envoy-${DEFAULT_VERSION}`]);
  });

  test('what was broken off in the cache makes way', async () => {
    const { command, find, cache } = scene();
    mkdirSync(join(cache, `envoy-${DEFAULT_VERSION}`, 'lib/python3.99'), { recursive: true });
    command('python3', pythonWith());
    expect(await find()).toMatchObject({ kind: 'binary', version: DEFAULT_VERSION });
    expect(readdirSync(cache)).toEqual([`envoy-${DEFAULT_VERSION}`]);
  });

  test.for([
    ['pip fails', pythonWith('echo "ERROR: no network" >&2; exit 1'), 'ERROR: no network'],
    ['python3 has no venv', 'echo "No module named venv" >&2; exit 1', 'No module named venv'],
    ['another version comes', pythonWith('', '1.39.3'), 'does not run'],
    ['the binary does not run here', pythonWith(`trap 'echo "exit 1" > "$to/envoy"' EXIT`), 'does not run'],
  ] as const)('when %s there is none, the reason is told and nothing is left', async ([, python, reason]) => {
    const { command, find, cache, said } = scene();
    command('python3', python);
    expect(await find()).toMatchObject({ kind: 'none', advice: expect.stringContaining('ENVOY_BIN') });
    expect(said.join()).toContain(reason);
    expect(readdirSync(cache)).toEqual([]);
  });

  test('a cache that cannot be made is a reason as well', async () => {
    const { command, find, cache, said } = scene();
    writeFileSync(cache, 'a file');
    command('python3', pythonWith());
    expect(await find()).toMatchObject({ kind: 'none' });
    expect(said.join()).toContain('cannot be kept');
  });

  describe('Docker', () => {
    const docker = (over: Partial<Record<'version' | 'image' | 'pull' | 'run', string>> = {}) => {
      const acts = { version: 'echo 27.0', image: 'exit 1', pull: ':', run: printing(DEFAULT_VERSION), ...over };
      return `case "$1" in ${Object.entries(acts)
        .map(([word, act]) => `${word}) ${act};;`)
        .join(' ')} esac`;
    };

    test('is the last resort, with the image of the version', async () => {
      const { command, find, said } = scene();
      const path = command('docker', docker());
      const image = `envoyproxy/envoy:v${DEFAULT_VERSION}`;
      expect(await find()).toEqual({ kind: 'docker', command: path, image, version: DEFAULT_VERSION });
      expect(said.at(-1)).toBe(`getting the image ${image}`);
    });

    test('an image that is there is not got again', async () => {
      const { command, find } = scene();
      command('docker', docker({ image: 'exit 0', pull: 'exit 1' }));
      expect(await find()).toMatchObject({ kind: 'docker' });
    });

    test.for([
      ['without an engine', { version: 'echo "Cannot connect to the Docker daemon" >&2; exit 1' }, 'Docker daemon'],
      ['without the image', { pull: 'echo "manifest unknown" >&2; exit 1' }, 'manifest unknown'],
      ['with an image that does not run', { run: 'exit 125' }, 'does not run'],
    ] as const)('%s it is no resort', async ([, over, reason]) => {
      const { command, find, said } = scene();
      command('docker', docker(over));
      expect(await find()).toMatchObject({ kind: 'none' });
      expect(said.join()).toContain(reason);
    });
  });

  test('with nothing at all it says what to do', async () => {
    const { find } = scene();
    expect(await find()).toMatchObject({ kind: 'none', advice: expect.stringMatching(/ENVOY_BIN.*python3.*Docker/) });
  });
});

test.for([
  ['1.36.13', false],
  ['1.37.5', false],
  ['1.37.6', true],
  ['1.38.3', false],
  ['1.38.4', true],
  ['1.39.0', false],
  ['1.39.1', true],
  ['1.40.0', true],
  ['1.100.0', true],
  ['2.0.0', true],
  ['0.99.99', false],
  ['1.40', false],
  ['1.40.0-dev', false],
  ['', false],
] as const)('Envoy %j is supported: %s', ([version, supported]) => {
  expect(isSupported(version)).toBe(supported);
});
