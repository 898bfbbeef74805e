#!/usr/bin/env node
// Packs one folder that runs a session on a Linux x64 machine with a GPU's driver and nothing else: no network, no Node, no npm.
//   npm run card:pack -- OUT [--data prepared/]        after npm ci and npm run build
//   there: OUT/run.sh [--minutes 9]
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bundleSuites } from '../../tools/test/src/runtimes/bundle.js';
import { PREPARED } from './plan.js';

const MOST_BYTES = 60e6;
const HERE = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  // The second is for rehearsals, where Node and the driver are there.
  options: { data: { type: 'string' }, 'without-node': { type: 'boolean', default: false } },
});
if (positionals.length !== 1) {
  console.error(
    'npm run card:pack -- OUT [--data FOLDER]: a folder to write, and pictures as paris prepare writes them',
  );
  process.exit(2);
}
const cwd = process.env.INIT_CWD ?? '.';
const out = resolve(cwd, positionals[0]);
if (existsSync(out) && readdirSync(out).length > 0) {
  console.error(`[card] ${out} is not empty. Give a folder that is not there yet.`);
  process.exit(2);
}
mkdirSync(out, { recursive: true });

await bundleSuites(join(out, 'suites.js'));
await bundlePrograms();
cpSync(join(HERE, 'fixtures'), join(out, 'fixtures'), { recursive: true });
if (options.data) copyData(resolve(cwd, options.data));
if (!options['without-node']) {
  packed(realpathSync(process.execPath), 'node');
  packed(join(dirname(require.resolve('webgpu')), 'dist', 'linux-x64', 'dawn.node'), 'dawn.node');
  const loader = vulkanLoader();
  if (loader) packed(loader, 'libvulkan.so.1');
  else console.warn('[card] this machine has no libvulkan.so.1 to take along: the other one must have its own');
}
writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n');
writeFileSync(join(out, 'run.sh'), runScript());
chmodSync(join(out, 'run.sh'), 0o755);
const bytes = bytesOf(out);
console.log(`${out}: ${(bytes / 1e6).toFixed(1)} MB`);
if (bytes > MOST_BYTES) {
  console.error(`[card] that is more than ${MOST_BYTES / 1e6} MB. Take fewer pictures along.`);
  process.exit(1);
}

/** Every program of the session, with the layout of this folder: programs start each other by relative paths. */
async function bundlePrograms() {
  const stages = readdirSync(join(HERE, 'card', 'stages')).map((name) => join('card', 'stages', name));
  const contenders = ['paris', 'jax', 'tfjs'].map((name) => join('src', 'contenders', `${name}.js`));
  await build({
    absWorkingDir: HERE,
    entryPoints: ['card/session.js', 'card/stage.js', ...stages, 'src/main.js', 'src/contender.js', ...contenders],
    ...{ outdir: out, outbase: '.', bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...{ minify: true, logLevel: 'error', mainFields: ['module', 'main'] },
    external: ['webgpu', 'sharp', '@huggingface/transformers'],
    chunkNames: 'chunks/[hash]',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins: [peersAsTheyArePacked()],
  });
  // What programs import as `webgpu`: the binary that run.sh unpacked.
  mkdirSync(join(out, 'node_modules', 'webgpu'), { recursive: true });
  writeFileSync(
    join(out, 'node_modules', 'webgpu', 'package.json'),
    '{ "name": "webgpu", "type": "module", "exports": "./index.js" }\n',
  );
  writeFileSync(
    join(out, 'node_modules', 'webgpu', 'index.js'),
    `import { createRequire } from 'node:module';
const { create, globals } = createRequire(import.meta.url)(process.env.PARIS_DAWN);
export { create, globals };
`,
  );
}

/** The peers find their packages where they are installed; here they are in the bundle. @returns {import('esbuild').Plugin} */
function peersAsTheyArePacked() {
  const contents = {
    tfjs: `import * as tf from '@tensorflow/tfjs-core';
      import '@tensorflow/tfjs-core/dist/register_all_gradients';
      import '@tensorflow/tfjs-backend-webgpu';
      export { tf };
      export const versionOf = () => ${JSON.stringify(versionOf('@tensorflow/tfjs-backend-webgpu'))};
      export const wasmFolder = undefined;`,
    jax: `export const version = ${JSON.stringify(versionOf('@jax-js/jax'))};`,
  };
  return {
    name: 'peers',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /installed-(tfjs|jax)\.js$/ }, ({ path }) => ({
        path: /installed-(\w+)/.exec(path)[1],
        namespace: 'peer',
      }));
      onLoad({ filter: /.*/, namespace: 'peer' }, ({ path }) => ({ contents: contents[path], resolveDir: HERE }));
    },
  };
}

function versionOf(name) {
  const entry = require.resolve(name);
  return require(join(entry.slice(0, entry.lastIndexOf(name) + name.length), 'package.json')).version;
}

/** The pictures as they were prepared, without what was made of them. */
function copyData(from) {
  if (!existsSync(join(from, 'manifest.json'))) {
    rmSync(out, { recursive: true });
    console.error(`[card] ${from} holds no manifest.json. Give a folder that paris prepare wrote.`);
    process.exit(2);
  }
  for (const name of readdirSync(from)) {
    if (!PREPARED.test(name)) continue;
    mkdirSync(join(out, 'data'), { recursive: true });
    copyFileSync(join(from, name), join(out, 'data', name));
  }
}

function packed(file, name) {
  execFileSync('bash', ['-c', 'xz -T0 -6 -c "$0" > "$1"', file, join(out, `${name}.xz`)]);
}

function vulkanLoader() {
  try {
    const listed = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
    const path = /libvulkan\.so\.1 .*x86-64.* => (\S+)/.exec(listed)?.[1];
    return path && realpathSync(path);
  } catch {
    return undefined;
  }
}

function runScript() {
  return `#!/usr/bin/env bash
# Runs a session: ./run.sh [--minutes 9] [--out FOLDER] [--plan]. Unpacks Node and Dawn into a temporary folder once.
set -euo pipefail
here=$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)
unpacked=\${PARIS_CARD_TMP:-\${TMPDIR:-/tmp}/paris-card}
mkdir -p "$unpacked"
for name in node dawn.node libvulkan.so.1; do
  [ -e "$here/$name.xz" ] || continue
  [ -e "$unpacked/$name" ] || { xz -dc "$here/$name.xz" > "$unpacked/$name.part" && chmod +x "$unpacked/$name.part" && mv "$unpacked/$name.part" "$unpacked/$name"; }
done
# The system's own loader first: it knows where the driver's manifests are.
if [ -e "$unpacked/libvulkan.so.1" ] && ! /sbin/ldconfig -p 2>/dev/null | grep -q libvulkan.so.1; then
  export LD_LIBRARY_PATH="$unpacked\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# Containers put the manifest of NVIDIA where loaders do not look.
if [ -z "\${VK_DRIVER_FILES:-}\${VK_ICD_FILENAMES:-}" ]; then
  for manifest in /etc/vulkan/icd.d/nvidia_icd.json /usr/share/vulkan/icd.d/nvidia_icd.json /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json; do
    [ -e "$manifest" ] && export VK_DRIVER_FILES="$manifest" && break
  done
fi
[ -e "$unpacked/dawn.node" ] && export PARIS_DAWN="$unpacked/dawn.node"
node=$unpacked/node
[ -x "$node" ] || node=node
exec "$node" "$here/card/session.js" "$@"
`;
}

function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}
