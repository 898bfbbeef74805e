// What the packed packages become in a bundle: nothing of Node in a browser's, Dawn left outside of Node's, and their sizes.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { runNode } from './programs.js';
import { makeProject } from './tarballs.js';

/** gzip, in bytes: a little more than measured. TypeGPU alone is 81,500 of each. */
const BUDGETS = {
  'a product and a map': {
    bytes: 125_000,
    code: `import { matmul, openDevice, silu } from '@paris/tensor';
const device = await openDevice();
console.log(await silu(matmul(device.tensor([[1]]), device.tensor([[2]]))).read());
await device.close();`,
  },
  'sampling with DiT and top-2': {
    bytes: 160_000,
    code: `import { loadPipeline, top } from '@paris/sampler';
const pipeline = await loadPipeline('https://example.com/model');
console.log(await pipeline.generate({ prompt: 'cat face', routing: top(2) }));`,
  },
};

/**
 * @param {import('./counter.js').Counter} counter
 * @param {readonly import('./tarballs.js').Tarball[]} tarballs
 * @param {readonly string[]} entries what a browser may import
 * @param {NodeJS.ProcessEnv | undefined} env in which a process finds an adapter, if there is one
 */
export async function checkBundles(counter, tarballs, entries, env) {
  const project = makeProject(tarballs, { optional: ['webgpu'] });
  const bundle = (/** @type {string} */ contents, /** @type {import('esbuild').BuildOptions} */ options) =>
    build({
      stdin: { contents, resolveDir: project.folder },
      bundle: true,
      format: 'esm',
      minify: true,
      metafile: true,
      write: false,
      outfile: join(project.folder, 'out.js'),
      logLevel: 'silent',
      ...options,
    });
  try {
    // esbuild refuses what a browser does not have.
    const all = entries.map((entry, i) => `import * as entry${i} from '${entry}'; console.log(entry${i});`).join('\n');
    const { metafile } = await bundle(all, { platform: 'browser' });
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    if (outside.length === 0) counter.pass(`${entries.length} entries bundle for a browser`);
    else counter.fail('bundle for a browser', `it imports ${outside.map(({ path }) => path).join(', ')}`);

    for (const [name, { bytes, code }] of Object.entries(BUDGETS)) {
      const { outputFiles } = await bundle(code, { platform: 'browser', write: false });
      const size = gzipSync(outputFiles?.[0]?.contents ?? '', { level: 9 }).length;
      const text = `${name}: ${size} bytes of gzip, of ${bytes}`;
      if (size > 50_000 && size <= bytes) counter.pass(text);
      else counter.fail('size', text);
    }

    const code = BUDGETS['a product and a map'].code;
    const node = await bundle(code, { platform: 'node', external: ['webgpu'], write: true });
    const dawn = Object.values(node.metafile.outputs)
      .flatMap(({ imports }) => imports)
      .filter(({ path }) => !path.startsWith('node:'));
    const shown = dawn.map(({ path, kind }) => `${kind} of ${path}`).join(', ');
    if (shown === 'dynamic-import of webgpu') counter.pass('a bundle for Node asks for webgpu when a device is opened');
    else counter.fail('bundle for Node', `it has ${shown || 'no import of webgpu'}`);
    if (!env) return counter.skip('a bundle for Node', 'adapter', 'there is none');
    const { code: ended, output } = await runNode('out.js', { cwd: project.folder, env });
    // silu(1 · 2) = 2 / (1 + e^-2)
    if (ended === 0 && /1\.76159/.test(output)) counter.pass('and runs');
    else counter.fail('bundle for Node', `ended with ${ended}\n${output}`);
  } catch (error) {
    counter.fail('bundles', error instanceof Error ? error.message : String(error));
  } finally {
    project.remove();
  }
}
