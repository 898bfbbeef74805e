import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/worker.ts', 'src/run/host.ts', 'src/run/host.node.ts'],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  // TypeScript writes them: the emitter that isolatedDeclarations turns on drops references to types and keeps a field's `!`.
  dts: { oxc: false },
  // Resolved by the program that imports the package: workers of Node, or Web Workers.
  deps: { neverBundle: ['#host', '#webgpu-types', /^node:/] },
});
