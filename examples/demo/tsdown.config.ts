import { defineConfig } from 'tsdown';

// A program, not a library: one unbundled module per source module, dependencies stay where npm put them.
export default defineConfig({
  entry: ['src/main.ts'],
  unbundle: true,
  platform: 'node',
  target: 'node20',
  outExtensions: () => ({ js: '.js' }),
});
