import typegpu from 'unplugin-typegpu/vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources, so that tests see one copy of each module and need no build.
const conditions = ['@paris/source', 'module', 'node', 'development|production'];

export default defineConfig({
  plugins: [typegpu()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Where the global setup is loaded, which takes sources too.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'tools/*/src/**/*.test.ts',
      'examples/*/src/**/*.test.ts',
      'benchmarks/{src,card}/*.test.js',
    ],
    // The native GPU module does not like worker threads.
    pool: 'forks',
    // Files of one worker share their modules: loading them again for each took a third of the total time.
    isolate: false,
    // Tests run in forks, which start with this process's environment: so they get the adapter that is chosen here.
    globalSetup: ['tools/test/src/adapter.ts'],
    setupFiles: ['tools/test/src/setup.ts'],
    // One more than two cores have: tests wait for processes that they start, for locks and for clocks.
    maxWorkers: 3,
    // References in plain JavaScript make much garbage: room for it saves 5 % of the processor time.
    execArgv: ['--max-semi-space-size=32'],
    // Generous: a software adapter with an empty shader cache compiles for seconds, on a busy machine for a minute.
    testTimeout: 300_000,
    hookTimeout: 180_000,
  },
});
