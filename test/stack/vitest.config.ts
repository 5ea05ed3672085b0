/** `npm run test:stack`: not part of `npm test`, because it builds Temporal's server with Go, once. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/stack/*.stack.ts'],
    setupFiles: ['test/support/quiet.ts'],
    // The settings of whoever runs it are not for these processes.
    env: { TEST_POSTGRES: 'installed', TEMPORAL_CONFIG_FILE: '/none.toml' },
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 30 * 60_000,
    reporters: ['verbose'],
  },
});
