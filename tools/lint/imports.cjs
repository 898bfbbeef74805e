// In which direction imports go, checked by dependency-cruiser: `npm run lint`. Types count, too: a file that names a type
// of another cannot be read without it.

/** What each package may import of the others. */
const PACKAGES = {
  files: [],
  cpu: [],
  tensor: ['files', 'cpu'],
  model: ['files', 'tensor'],
  dit: ['files', 'tensor', 'model'],
  router: ['files', 'tensor', 'model'],
  encoders: ['files', 'tensor', 'model'],
  clustering: ['files', 'tensor'],
  sampler: ['files', 'tensor', 'model', 'dit', 'router', 'encoders'],
  serve: ['files', 'tensor', 'model', 'dit', 'router', 'encoders', 'sampler'],
  trainer: ['files', 'tensor', 'model', 'dit', 'router', 'encoders', 'clustering', 'sampler'],
  cli: ['files', 'tensor', 'model', 'dit', 'router', 'encoders', 'clustering', 'sampler', 'serve', 'trainer'],
};

/** The storeys of packages/tensor/src, from the ground up: a file imports what is in its own room, or lower. */
const STOREYS = [
  ['errors.ts'],
  ['tree.ts', 'graph'],
  ['shader'],
  ['math', 'random'],
  ['kernels'],
  ['tensor.ts', 'ops'], // the one circle: ops/circle.test.ts
  ['autodiff', 'compile'],
  ['device'],
  ['nn', 'optim', 'node'],
  ['index.ts'],
  ['testing'],
];

const TENSOR = '^packages/tensor/src/';
/** Circles there may be: functions that call each other, in files that are one idea. */
const CIRCLES = [`${TENSOR}(tensor\\.ts|ops/)`, '^packages/cpu/src/compile/(lower|expressions)\\.ts'];
const TESTS = '\\.(test|testing)\\.ts$';
const room = (/** @type {string} */ name) => (name.endsWith('.ts') ? name.replace('.', '\\.') : `${name}/`);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(PACKAGES).map(([name, allowed]) => ({
      name: `package ${name}`,
      comment: `${name} may import ${allowed.join(', ') || 'no other package of ours'}`,
      severity: /** @type {const} */ ('error'),
      from: { path: `^packages/${name}/src/`, pathNot: TESTS },
      to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
    })),
    ...STOREYS.flatMap((rooms, i) =>
      rooms.map((name) => ({
        name: `tensor: ${name}`,
        comment: `${name} may import what is below it: ${STOREYS.slice(0, i).flat().join(', ') || 'nothing'}`,
        severity: /** @type {const} */ ('error'),
        from: { path: TENSOR + room(name), pathNot: TESTS },
        to: {
          path: TENSOR,
          pathNot: `${TENSOR}(${[...STOREYS.slice(0, i).flat(), ...(i === 5 ? rooms : [name])].map(room).join('|')})`,
        },
      })),
    ),
    {
      name: 'no circle',
      comment: 'modules that import each other, other than those in CIRCLES',
      severity: 'error',
      from: { path: '^packages/', pathNot: CIRCLES },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@paris/source', 'node', 'import', 'types', 'default'],
      extensions: ['.ts', '.js', '.d.ts'],
    },
  },
};
