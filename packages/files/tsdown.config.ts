import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/safetensors/index.ts',
    'src/checkpoint/index.ts',
    'src/download/index.ts',
    'src/node/index.ts',
    'src/s3/index.ts',
  ],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  deps: { neverBundle: [/^node:/] },
});
