import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'tsdown';
import { sentences } from './sentences.js';

// Kernels that one build has compiled are those of another if their sources are the same.
const hash = createHash('sha256');
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(test|testing)\.ts$/.test(file))
  .map((file) => resolve('src', file))
  .sort();
for (const file of sources) hash.update(readFileSync(file));

export default defineConfig({
  entry: ['src/index.ts', 'src/worker.ts', 'src/run/host.ts', 'src/run/host.node.ts'],
  // One output module per source module: tree-shaking depends on it.
  unbundle: true,
  platform: 'neutral',
  target: 'es2022',
  // By TypeScript, which infers the types of what is internal. Elsewhere isolatedDeclarations needs no program for it.
  dts: { oxc: false },
  plugins: [sentences(sources)],
  // Resolved by the program that imports the package: workers of Node, or Web Workers.
  define: { COMPILER_FINGERPRINT: JSON.stringify(hash.digest('hex').slice(0, 16)) },
  deps: { neverBundle: ['#host', '#webgpu-types', /^node:/] },
});
