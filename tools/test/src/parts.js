// What `npm test` runs, in this order. A part is a command (one check, passed or failed) or a suite (counted by test).
// To add one, add a line. Parts of one list run side by side: they spend
// their time on one thread, or wait.

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
  'packages/encoders',
  'packages/sampler/src/pipeline',
  'packages/trainer/src/pinned',
];

/** What another adapter tells nothing new in: tests without a device, of the process, or that choose both themselves. */
const SAME_ON_ANY_ADAPTER = [
  'packages/tensor/src/compile/passes.test.ts',
  'packages/tensor/src/device/bitwise.test.ts',
  'packages/tensor/src/device/cold-start.test.ts',
  'packages/tensor/src/device/leak.test.ts',
  'packages/tensor/src/kernels/sanitize.test.ts',
];

/** What compares the CPU device with a driver, and so needs one. */
const COMPARED_WITH_DAWN = ['packages/cpu/src/fuzz/**'];

/** What neither the CPU device nor SwiftShader has: lavapipe runs the tests of it. */
const LACKS = ['f16', 'subgroups'];

/** What a change would most likely break, of each package: short tests, on the CPU device. */
const QUICK_SUITES = [
  'packages/files',
  'packages/cpu/src/wgsl',
  'packages/cpu/src/compile/control',
  'packages/cpu/src/gpu',
  'packages/tensor/src/autodiff',
  'packages/tensor/src/graph',
  'packages/tensor/src/math',
  'packages/tensor/src/random',
  'packages/tensor/src/ops/arithmetic',
  'packages/tensor/src/ops/normalize',
  'packages/model/src/paths',
  'packages/model/src/predictions',
  'packages/router/src/policies',
  'packages/sampler/src/schedules',
  'packages/trainer/src/pinned',
];

/** @type {import('./runner.js').Part} */
const BUILD = { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only'] };
/** @type {import('./runner.js').Part} */
const LINT = { name: 'lint', command: ['biome', 'ci', '--colors=off', '.'] };

/** `npm run test:quick`. @type {import('./runner.js').Part[]} */
export const QUICK = [BUILD, LINT, { name: 'tests', suite: { adapter: 'cpu', paths: QUICK_SUITES, lacks: LACKS } }];

/** @type {(import('./runner.js').Part | import('./runner.js').Part[])[]} */
export const PARTS = [
  BUILD,
  [
    // The longest first.
    { name: 'examples', command: ['node', 'tools/test/src/examples.js'] },
    { name: 'outside', command: ['node', 'tools/test/src/outside.js'] },
    { name: 'installs', command: ['node', 'tools/test/src/installs.js'] },
    { name: 'docs', command: ['typedoc', '--emit', 'none'] },
    { name: 'types', command: ['npm', 'run', '--silent', 'typecheck'] },
    { name: 'packages', command: ['node', 'tools/test/src/packages.js'] },
    { name: 'fences', command: ['node', 'tools/test/src/fences.js'] },
    { name: 'imports', command: ['depcruise', '--config', 'tools/lint/imports.cjs', 'packages'] },
    { name: 'dead exports', command: ['knip', '--config', 'tools/lint/knip.json', '--no-config-hints'] },
    LINT,
    { name: 'functions', command: ['node', 'tools/test/src/functions.js'] },
    { name: 'dist', command: ['node', 'tools/test/src/dist.js'] },
    { name: 'links', command: ['node', 'tools/test/src/links.js'] },
  ],
  { name: 'tests', suite: { adapter: 'auto', paths: [], except: COMPARED_WITH_DAWN, lacks: LACKS } },
  {
    name: 'tests on lavapipe',
    suite: { adapter: 'lavapipe', paths: DEVICE_SUITES, except: SAME_ON_ANY_ADAPTER },
  },
  {
    name: 'tests on SwiftShader',
    suite: {
      adapter: 'swiftshader',
      paths: [
        'packages/tensor/src/kernels',
        'packages/tensor/src/ops',
        'packages/trainer/src/pinned',
        'packages/cpu/src/fuzz',
      ],
      except: SAME_ON_ANY_ADAPTER,
      lacks: LACKS,
    },
  },
  [
    { name: 'Deno', command: ['node', 'tools/test/src/runtimes/deno.js', 'lavapipe'] },
    { name: 'Deno on the CPU', command: ['node', 'tools/test/src/runtimes/deno.js', 'cpu'], lacks: LACKS },
    { name: 'servers', command: ['node', 'tools/test/src/runtimes/servers.js'], lacks: ['bun'] },
    { name: 'Chromium', command: ['node', 'tools/test/src/runtimes/chromium.js'], lacks: LACKS },
  ],
];
