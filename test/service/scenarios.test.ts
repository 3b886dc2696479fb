import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { play } from '../scenarios/play.js';
import { readScenario } from '../scenarios/script.js';
import { serviceStage } from '../scenarios/stages/service.js';
import { startService } from '../service.js';

const folder = join(import.meta.dirname, '../scenarios');
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('played on the real service', () => {
  test.concurrent.for(names)('%s', async (name) => {
    const stage = serviceStage(await startService({ policies: readFileSync(join(folder, 'policy.yaml'), 'utf8') }));
    try {
      await play(readScenario(join(folder, name)), stage);
    } finally {
      await stage.close();
    }
  });
});
