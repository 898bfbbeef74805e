import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/options.ts',
    'src/metadata/index.ts',
    'src/node/index.ts',
    'src/web/index.ts',
    'src/pipeline/encoders.ts',
    'src/pipeline/encoders.node.ts',
    'src/foreign/index.ts',
    'src/pipeline/foreign.ts',
    'src/pipeline/foreign.node.ts',
    'src/pipeline/downloads.ts',
    'src/pipeline/downloads.node.ts',
    'src/pipeline/folder.ts',
    'src/pipeline/folder.node.ts',
  ],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  // Resolved where the package is imported: Node gets folders and encoders by name, everyone else URLs.
  deps: { neverBundle: ['#downloads', '#encoders', '#folder', '#foreign'] },
});
