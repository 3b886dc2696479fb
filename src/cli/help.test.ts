import { createTree } from './program.js';
import { expect, test } from 'vitest';
import { Collected, shellFor, typed } from '../../test/cli/typed.js';
import { completable, everyCommand } from './completion/words.js';

/** Every command by its words, the program itself first. */
async function everyPath(): Promise<string[]> {
  const tree = createTree(shellFor({ stdout: new Collected(undefined), stderr: new Collected(undefined) }));
  await tree.fill();
  return everyCommand(completable(tree.program)).map(({ path }) => path.join(' '));
}

const paths = await everyPath();

test('every help text is as it was reviewed', async () => {
  const texts = [];
  for (const path of paths) {
    const { code, out, err } = await typed([...path.split(' ').filter(Boolean), '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    texts.push(`$ portcullis ${path && `${path} `}--help\n\n${out}`);
  }
  await expect(texts.join('\n\n')).toMatchFileSnapshot('./help.txt');
});

test.for(paths)('the help of "%s" has an example that names it, and says who may call it', async (path) => {
  const words = path.split(' ').filter(Boolean);
  const { out } = await typed([...words, '--help']);
  if (/^Commands:|^Access:/m.test(out)) return expect(out).toContain('Usage: portcullis');
  expect(out).toContain(`Example:\n  `);
  expect(out.slice(out.indexOf('Example:'))).toContain(`portcullis ${path}`);
  expect(out).toMatch(/\n\nFor .+\.\n$/);
});

test('"help" in front is "--help" behind', async () => {
  for (const path of ['', 'request', 'token create'])
    expect(await typed(['help', ...path.split(' ').filter(Boolean)])).toEqual(
      await typed([...path.split(' ').filter(Boolean), '--help']),
    );
});
