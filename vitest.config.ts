import { defineConfig } from 'vitest/config';

/** One kind of test: its own folder, and how long one of them may take. */
const project = (name: string, include: string[], testTimeout: number, more = {}) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, ...more },
});

export default defineConfig({
  test: {
    projects: [
      // No module of ours keeps state between tests, so the files may share them: that halves the time. Two at a time, also on
      // two processors: each waits now and then. A large young generation: most of what a test makes is garbage soon.
      project('unit', ['src/**/*.test.ts', 'test/*.test.ts', 'test/scenarios/rules.test.ts'], 20_000, {
        isolate: false,
        maxWorkers: 2,
        execArgv: ['--max-semi-space-size=64'],
        sequence: { groupOrder: 1 },
      }),
      project('service', ['test/service/**/*.test.ts', 'test/cli/**/*.test.ts'], 60_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 120_000),
      project('protocols', ['test/protocols/**/*.test.ts'], 180_000),
      project('guard', ['test/guard/**/*.test.ts'], 60_000, { exclude: ['**/*.e2e.test.ts'] }),
      project('guard-e2e', ['test/guard/**/*.e2e.test.ts'], 120_000),
      project('crash', ['test/crash/**/*.test.ts'], 600_000),
      project('openapi', ['test/openapi/**/*.test.ts'], 600_000),
      project('bench', ['test/bench/**/*.test.ts'], 120_000),
      // What takes minutes, and is no part of `npm test`; and the real protocols once more, on the oldest Envoy.
      project('long', ['test/long/**/*.test.ts'], 900_000),
      project('long-protocols', ['test/protocols/**/*.test.ts'], 180_000, {
        setupFiles: ['test/setup/oldest-envoy.ts'],
      }),
      project('containers', ['test/containers/**/*.test.ts'], 900_000),
    ],
  },
});
