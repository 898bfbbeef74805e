// TensorFlow.js as it is installed. tfjs-core registers gradients in a file that Node cannot load (an ES module in a package that
// says otherwise): a bundle of it can be loaded. (A packed session has these exports from a bundle of its own: card/pack.js.)
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const outfile = join(mkdtempSync(join(tmpdir(), 'tfjs-')), 'tfjs.cjs');
await build({
  stdin: {
    contents: `export * from '@tensorflow/tfjs-core';
      import '@tensorflow/tfjs-core/dist/register_all_gradients';
      import '@tensorflow/tfjs-backend-webgpu';
      export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';`,
    resolveDir: fileURLToPath(new URL('.', import.meta.url)),
  },
  ...{ bundle: true, format: 'cjs', platform: 'node', mainFields: ['module', 'main'], outfile, logLevel: 'error' },
});
export const tf = require(outfile);

const packageFile = (backend) => require.resolve(`@tensorflow/tfjs-backend-${backend}/package.json`);
/** Of a backend's package. */
export const versionOf = (backend) => require(packageFile(backend)).version;
export const wasmFolder = `${dirname(packageFile('wasm'))}/dist/`;
