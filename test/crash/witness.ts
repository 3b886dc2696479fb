import { memoryStore } from '../../src/store/memory.js';
import type { AuditEntry } from '../../src/domain/audit-entry.js';
import type { DecisionRecord } from '../../src/domain/decision-record.js';
import type { LmdbStore } from '../../src/store/lmdb.js';
import type { Cursor } from '../../src/store/store.js';
import { answersOf, replay } from '../contract/store-replay.js';
import { isDeepStrictEqual } from 'node:util';

/**
 * Remembers what processes on one folder were told, and holds the store against it after each of them has died: what
 * was acknowledged is there, nothing is there by halves, and what is there is what the audit entries say.
 */
export class Witness {
  readonly #replayed = memoryStore();
  readonly #names = new Map<string, number>();
  #sequence = 0;
  acknowledged = 0;
  decisions = 0;

  /** @throws {Error} that says what is wrong */
  async examine(store: LmdbStore, lines: readonly string[]): Promise<void> {
    const sequence = store.read((s) => s.sequence);
    const added = store.read((s) => s.entries(this.#sequence + 1, sequence)); // throws when one is missing
    this.#examineChanges(added, lines);
    this.#examineDecisions(store, lines);
    await replay(added, this.#replayed);
    this.#sequence = sequence;
    for (const time of [0, 1_500]) {
      const [is, ought] = [store, this.#replayed].map((one) =>
        one.read((s) => ({ ...(answersOf(s, time) as object), entries: [] })),
      );
      if (!isDeepStrictEqual(is, ought)) throw new Error('the state is not what the audit entries lead to');
    }
  }

  #examineChanges(added: readonly AuditEntry[], lines: readonly string[]): void {
    for (const { actor } of added) {
      const name = actor.kind === 'service' ? actor.name : '';
      this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    }
    const names = new Set(added.map(({ actor }) => (actor.kind === 'service' ? actor.name : '')));
    for (const name of names) {
      if (this.#names.get(name) !== Number(name.split('/')[1])) throw new Error(`half of change ${name} is there`);
    }
    for (const line of lines) {
      const [what, name, last] = line.split(' ');
      if (what === 'full' && names.has(name!)) throw new Error(`change ${name} was refused and is there`);
      if (what !== 'done') continue;
      this.acknowledged += 1;
      const entry = added.find(({ sequence }) => sequence === Number(last));
      if (entry?.actor.kind !== 'service' || entry.actor.name !== name)
        throw new Error(`change ${name} was acknowledged and is lost`);
    }
  }

  #examineDecisions(store: LmdbStore, lines: readonly string[]): void {
    const all = new Map<string, DecisionRecord>();
    for (let after: Cursor | null | undefined; after !== null;) {
      const { items, next } = store.decisions({ limit: 500, after });
      for (const one of items) all.set(one.id, one);
      after = next;
    }
    this.decisions = all.size;
    for (const line of lines.filter((one) => one.startsWith('kept '))) {
      for (const id of line.split(' ').slice(1))
        if (!all.has(id)) throw new Error(`decision ${id} was acknowledged and is lost`);
    }
    const sizes = new Map<string, number>();
    for (const { message } of all.values()) sizes.set(message!, (sizes.get(message!) ?? 0) + 1);
    for (const [name, size] of sizes) {
      if (size !== Number(name.split('/')[1])) throw new Error(`half of batch ${name} is there`);
    }
  }
}
