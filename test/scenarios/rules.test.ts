import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PolicySet } from '../../src/domain/policy.js';
import { readPolicyFiles } from '../../src/policy/read.js';
import { memoryStore } from '../../src/store/memory.js';
import { corp } from '../builders.js';
import { play } from './play.js';
import { readScenario } from './script.js';
import { rulesStage } from './stages/rules.js';

const folder = import.meta.dirname;
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

test('there are scenarios', () => expect(names.length).toBeGreaterThan(4));

describe('played on the rules', () => {
  test.for(names)('%s', async (name) => {
    const stage = rulesStage(policies(), memoryStore());
    await play(readScenario(join(folder, name)), stage);
    await stage.close();
  });
});

function policies(): PolicySet {
  const reading = readPolicyFiles([{ name: 'policy.yaml', bytes: readFileSync(join(folder, 'policy.yaml')) }], {
    trust: [corp],
  });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.set;
}
