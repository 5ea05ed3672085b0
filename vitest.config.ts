import { defineConfig } from 'vitest/config';

/** Where continuous integration wants the results for machines. */
const results = process.env.TEST_RESULTS;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/quiet.ts'],
    // Temporal's worker is native code: a process of its own per file keeps one file's crash out of the next.
    pool: 'forks',
    maxWorkers: 2,
    // What hangs ends some time; how long a thing takes is not tested, for the machine may be busy.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
  },
});
