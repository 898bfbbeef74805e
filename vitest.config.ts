import typegpu from 'unplugin-typegpu/vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources, so that tests see one copy of each module and need no build.
const conditions = ['@paris/source', 'module', 'node', 'development|production'];

export default defineConfig({
  plugins: [typegpu()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tools/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts'],
    // The native GPU module does not like worker threads.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
