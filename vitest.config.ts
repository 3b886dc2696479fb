import { defineConfig } from 'vitest/config';

/** One kind of test: its own folder, and how long one of them may take. */
const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', ['src/**/*.test.ts', 'test/*.test.ts', 'test/scenarios/rules.test.ts'], 20_000),
      project('service', ['test/service/**/*.test.ts', 'test/cli/**/*.test.ts'], 60_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 120_000),
      project('crash', ['test/crash/**/*.test.ts'], 600_000),
      project('openapi', ['test/openapi/**/*.test.ts'], 600_000),
      project('containers', ['test/containers/**/*.test.ts'], 900_000),
    ],
  },
});
