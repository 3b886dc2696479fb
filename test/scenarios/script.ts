import { readFileSync } from 'node:fs';

/** One line of a scenario: who does what, and what comes of it. */
export interface Step {
  readonly line: number;
  readonly text: string;
  readonly who: string;
  readonly verb: string;
  /** The words between verb and arrow. */
  readonly words: readonly string[];
  readonly want: string;
}

interface Pause {
  readonly line: number;
  readonly text: string;
  readonly after: string;
}

export interface Scenario {
  readonly title: string;
  readonly steps: readonly (Step | Pause)[];
}

/** Reads a scenario file. What is no step of ours is an error: a misspelt line would test nothing. */
export function readScenario(file: string): Scenario {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((text, i) => ({ text: text.trim(), line: i + 1 }));
  const title =
    lines
      .find(({ text }) => text.startsWith('#'))
      ?.text.slice(1)
      .trim() ?? file;
  const steps = lines
    .filter(({ text }) => text !== '' && !text.startsWith('#'))
    .map(({ text, line }) => {
      const pause = /^after (\S+)$/.exec(text)?.[1];
      if (pause) return { line, text, after: pause };
      const [, who, verb, rest = '', want] = /^(\S+) (\S+)(?: (.*?))? +-> (.+)$/.exec(text) ?? [];
      if (!who || !verb || !want)
        throw new Error(`${file}:${line}: expected "who verb … -> outcome", got ${JSON.stringify(text)}`);
      return { line, text, who, verb, words: rest.split(' ').filter((word) => word !== ''), want };
    });
  return { title, steps };
}
