import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/node/index.ts', 'src/options.ts'],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  deps: { neverBundle: [/^node:/] },
});
