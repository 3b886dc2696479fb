import { expect, test } from 'vitest';
import { adminScene } from '../../test/openapi/scene.js';
import { memoryStore } from '../store/memory.js';

test('health says that the process runs, whatever else is wrong', async () => {
  const { call, clock } = adminScene({ serving: () => 'storage_failed' });
  clock.distrust();
  expect(await call(null, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('version says which one runs', async () => {
  expect((await adminScene().call(null, 'GET', '/version')).body).toEqual({ version: '1.2.3', api: 'v1' });
});

test('a service that can decide is ready', async () => {
  const { call } = adminScene();
  expect(await call(null, 'GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  const checks = { serving: 'ok', store: 'ok', clock: 'ok', policies: 'ok', disk: 'ok' };
  for (const query of ['verbose', 'verbose=true'])
    expect((await call(null, 'GET', `/readyz?${query}`)).body).toEqual({ status: 'ready', checks });
  expect((await call(null, 'GET', '/readyz?verbose=false')).body).toEqual({ status: 'ready' });
  expect((await call(null, 'GET', '/readyz?verbose=yes')).status).toBe(400);
});

const damaged = () => ({
  ...memoryStore(),
  read: () => {
    throw new Error('canary-5ecret');
  },
});

const broken: { readonly check: string; readonly scene: () => ReturnType<typeof adminScene> }[] = [
  { check: 'serving', scene: () => adminScene({ serving: () => 'shutting_down' }) },
  { check: 'store', scene: () => adminScene({ store: damaged() }) },
  {
    check: 'clock',
    scene: () => {
      const scene = adminScene();
      scene.clock.distrust();
      return scene;
    },
  },
  {
    check: 'policies',
    scene: () => {
      const scene = adminScene();
      scene.load({ ...scene.needed.policies.current, digest: '' });
      return scene;
    },
  },
  { check: 'policies', scene: () => adminScene({ policiesSettled: () => false }) },
  {
    check: 'disk',
    scene: () => {
      const scene = adminScene();
      scene.disk.level = 'nothing';
      return scene;
    },
  },
];

test.for(broken)(
  'a service whose $check has failed is not ready, and says so without details',
  async ({ check, scene }) => {
    const answer = await scene().call(null, 'GET', '/readyz?verbose');
    expect([answer.status, answer.body.status]).toEqual([503, 'not_ready']);
    expect(Object.entries(answer.body.checks).filter(([, state]) => state === 'failed')).toEqual([[check, 'failed']]);
    expect(JSON.stringify(answer)).not.toContain('canary');
  },
);

test('a disk on which checks can still be recorded leaves the service ready', async () => {
  const { call, disk } = adminScene();
  disk.level = 'endings_only';
  expect((await call(null, 'GET', '/readyz')).status).toBe(200);
});
