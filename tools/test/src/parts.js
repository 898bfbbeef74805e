// What `npm test` runs, in this order. A part is a command (one check, passed or failed) or a suite (counted by test).
// To add one, add a line. Parts of one list run side by side: what spends its time on one thread.

/** Suites that run on drivers too: what talks to a device, once per kind of work. The whole set runs on the CPU device. */
const DEVICE_SUITES = [
  'packages/tensor/src/autodiff',
  'packages/tensor/src/compile',
  'packages/tensor/src/device',
  'packages/tensor/src/kernels',
  'packages/tensor/src/ops',
  'packages/tensor/src/nn',
  'packages/tensor/src/random',
  'packages/model',
  'packages/dit',
  'packages/router',
  'packages/sampler/src/pipeline',
  'packages/trainer/src/pinned',
];

/** What another adapter tells nothing new in: tests without a device, of the process, or that choose both themselves. */
const SAME_ON_ANY_ADAPTER = [
  'packages/tensor/src/compile/passes.test.ts',
  'packages/tensor/src/device/bitwise.test.ts',
  'packages/tensor/src/device/cold-start.test.ts',
  'packages/tensor/src/device/leak.test.ts',
];

/** What neither the CPU device nor SwiftShader has: lavapipe runs the tests of it. */
const LACKS = ['f16', 'subgroups'];

/** @type {(import('./runner.js').Part | import('./runner.js').Part[])[]} */
export const PARTS = [
  { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] },
  { name: 'lint', command: ['biome', 'ci', '--colors=off', '.'] },
  { name: 'imports', command: ['depcruise', '--config', 'tools/lint/imports.cjs', 'packages'] },
  { name: 'dead exports', command: ['knip', '--config', 'tools/lint/knip.json', '--no-config-hints'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'docs', command: ['typedoc', '--emit', 'none'] },
  { name: 'links', command: ['node', 'tools/test/src/links.js'] },
  { name: 'fences', command: ['node', 'tools/test/src/fences.js'] },
  { name: 'dist', command: ['node', 'tools/test/src/dist.js'] },
  { name: 'examples', command: ['node', 'tools/test/src/examples.js'] },
  { name: 'packages', command: ['node', 'tools/test/src/packages.js'] },
  { name: 'outside', command: ['node', 'tools/test/src/outside.js'] },
  { name: 'installs', command: ['node', 'tools/test/src/installs.js'] },
  { name: 'tests', suite: { adapter: 'auto', paths: [], lacks: LACKS } },
  {
    name: 'tests on lavapipe',
    suite: { adapter: 'lavapipe', paths: DEVICE_SUITES, except: SAME_ON_ANY_ADAPTER },
  },
  {
    name: 'tests on SwiftShader',
    suite: {
      adapter: 'swiftshader',
      paths: ['packages/tensor/src/kernels', 'packages/tensor/src/ops', 'packages/trainer/src/pinned'],
      lacks: LACKS,
    },
  },
  [
    { name: 'Deno', command: ['node', 'tools/test/src/runtimes/deno.js', 'lavapipe'] },
    { name: 'Chromium', command: ['node', 'tools/test/src/runtimes/chromium.js'], lacks: LACKS },
  ],
];
