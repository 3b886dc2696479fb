import { expect, test } from 'vitest';
import { createMetrics, serveMetrics } from './metrics.js';
import type { AddressInfo } from 'node:net';

const gauges = { sequence: () => 42, locks: () => 2, storeBytes: () => 8_192, clockTrusted: () => true };

test('a scrape shows checks by reason, durations, and what is read at that moment', async () => {
  const metrics = createMetrics({ version: '1.2.3', gauges });
  metrics.check(null, 0.0002);
  metrics.check('no_grant', 0.0002);
  metrics.check('no_grant', 0.2);
  metrics.alarm('DamagedError');
  metrics.policyReload('refused');
  const text = await metrics.text();
  for (const line of [
    'portcullis_checks_total{decision="allow",reason=""} 1',
    'portcullis_checks_total{decision="deny",reason="no_grant"} 2',
    'portcullis_check_duration_seconds_count 3',
    'portcullis_alarms_total{kind="DamagedError"} 1',
    'portcullis_policy_reloads_total{outcome="refused"} 1',
    'portcullis_change_sequence 42',
    'portcullis_clock_trusted 1',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).toMatch(/portcullis_build_info\{version="1.2.3",node="v\d+/);
});

test('what cannot be read is left out, and the rest is there', async () => {
  const broken = () => {
    throw new Error('closed');
  };
  const text = await createMetrics({ version: '1', gauges: { ...gauges, locks: broken } }).text();
  expect(text).toContain('portcullis_change_sequence 42');
  expect(text).not.toMatch(/^portcullis_locks \d/m);
});

test('the listener serves metrics and nothing else', async () => {
  const server = await serveMetrics(createMetrics({ version: '1', gauges }), { host: '127.0.0.1', port: 0 });
  const { port } = server.address() as AddressInfo;
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
  expect((await get('/metrics')).headers.get('content-type')).toContain('version=0.0.4');
  for (const answer of [await get('/'), await get('/metrics/'), await get('/metrics', 'POST')])
    expect(answer.status).toBe(404);
  server.close();
});
