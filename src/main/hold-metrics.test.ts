import { Registry } from '@prometheus-io/client';
import { expect, test } from 'vitest';
import { alice, ordersDb, person, request, requestId } from '../../test/builders.js';
import { createHoldObserver } from './hold-metrics.js';

function scene() {
  const registry = new Registry();
  const lines: string[] = [];
  let waiting = 0;
  const note = (level: string) => (fields: object, text: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
  const log = { info: note('info'), debug: note('debug') } as unknown as Parameters<
    typeof createHoldObserver
  >[0]['log'];
  const observe = createHoldObserver({ registry, log, waiting: () => waiting });
  return { registry, lines, observe, wait: (n: number) => void (waiting = n) };
}

const of = { subject: alice, person: person('alice'), resource: ordersDb, request: requestId() };

test('waits are counted by what became of them, and measured; how many wait is read at each scrape', async () => {
  const { registry, observe, wait } = scene();
  observe.ended('allowed', 3, of);
  observe.ended('gave_up', 0.2, of);
  observe.ended('full', 0, of);
  wait(7);
  const text = await registry.metrics();
  expect(text).toContain('portcullis_held_checks 7');
  expect(text).toContain('portcullis_holds_total{outcome="allowed"} 1');
  expect(text).toContain('portcullis_holds_total{outcome="full"} 1');
  // What never waited is no wait.
  expect(text).toContain('portcullis_hold_seconds_count 2');
});

test('an opened request is a line in the log; a wait is one for debugging, and names neither key nor path', () => {
  const { lines, observe } = scene();
  const connection = { source: '10.0.0.7:1', key: 'secret-key', request: 'GET /secret' };
  observe.opened(request({ connection }));
  observe.ended('denied', 1, of);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['info', 'debug']);
  expect(lines[0]).toContain('10.0.0.7:1');
  expect(lines.join()).not.toContain('secret');
});
