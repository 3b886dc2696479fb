import { expect } from 'vitest';
import type { Scenario, Step } from './script.js';
import type { Outcome, Stage } from './stages/stage.js';

/** What each person asked for last, was given last, and the lock that was made last. */
interface Memory {
  readonly requests: Map<string, string>;
  readonly grants: Map<string, string>;
  /** Who each request is for. */
  readonly owners: Map<string, string>;
  lock: string;
}

/** Plays a scenario to its end; the first step that goes another way fails with its line. */
export async function play({ steps }: Scenario, stage: Stage): Promise<void> {
  const memory: Memory = { requests: new Map(), grants: new Map(), owners: new Map(), lock: '' };
  for (const step of steps) {
    if ('after' in step) await stage.pass(step.after);
    else expect(await outcomeOf(step, stage, memory), `line ${step.line}: ${step.text}`).toBe(step.want);
  }
}

async function outcomeOf(step: Step, stage: Stage, memory: Memory): Promise<string> {
  const { who, verb, words } = step;
  switch (verb) {
    case 'checks':
      return stage.check(who, words[0]!, words.length > 1 ? words.slice(1).join(' ') : null);
    case 'requests':
      return asked(who, await stage.ask(who, wishOf(words)), memory);
    case 'approves':
    case 'denies': {
      const id = memory.requests.get(owner(words[0]!))!;
      const outcome = await stage.review(who, id, verb === 'approves' ? 'approve' : 'deny');
      if (outcome.grantId) memory.grants.set(memory.owners.get(id)!, outcome.grantId);
      return outcome.word;
    }
    case 'withdraws':
      return (await stage.withdraw(who, memory.requests.get(owner(words[0]!))!)).word;
    case 'revokes':
    case 'returns':
      return (await stage.end(who, memory.grants.get(owner(words[0]!))!, verb === 'revokes' ? 'revoke' : 'return'))
        .word;
    case 'locks': {
      const [kind, name, , duration = null] = words;
      const outcome = await stage.lock(who, { kind: kind!, name: name! }, duration);
      memory.lock = outcome.id ?? memory.lock;
      return outcome.word;
    }
    case 'unlocks':
      return (await stage.unlock(who, memory.lock)).word;
    default:
      throw new Error(`line ${step.line}: no such verb: ${verb}`);
  }
}

function asked(who: string, outcome: Outcome, memory: Memory): string {
  if (outcome.id) {
    memory.requests.set(who, outcome.id);
    memory.owners.set(outcome.id, who);
  }
  return outcome.word;
}

/** `alice's` request. */
function owner(word: string): string {
  return word.replace(/'s$/, '');
}

function wishOf(words: readonly string[]) {
  const after = (word: string) => (words.includes(word) ? words[words.indexOf(word) + 1]! : null);
  return { resource: words[0]!, action: after('action'), duration: after('for')! };
}
