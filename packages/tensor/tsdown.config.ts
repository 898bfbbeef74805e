import { defineConfig } from 'tsdown';
import { pure } from './build/pure.js';
import { shaders } from './build/shaders.js';

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/host.ts',
    'src/node/index.ts',
    'src/nn/index.ts',
    'src/optim/index.ts',
    'src/testing/index.ts',
    'src/shader/typegpu.ts',
    'src/device/gpu.ts',
    'src/device/gpu.node.ts',
  ],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  // Resolved where the package is imported: Node gets Dawn, everyone else the platform's own WebGPU.
  deps: { neverBundle: ['#gpu', '#webgpu-types', /^node:/] },
  plugins: [shaders(), pure()],
});
