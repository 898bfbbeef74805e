// What the packed packages become in a bundle: nothing of Node in a browser's, Dawn left outside of Node's, and their sizes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import ts from 'typescript';
import { runNode } from './programs.js';
import { makeProject } from './tarballs.js';

/** gzip, in bytes. TypeGPU alone is 79,100 of each. */
const BUDGETS = {
  'a product and a map': {
    bytes: 118_000,
    code: `import { matmul, openDevice, silu } from '@paris/tensor';
const device = await openDevice();
console.log(await silu(matmul(device.tensor([[1]]), device.tensor([[2]]))).read());
await device.close();`,
  },
  'sampling with DiT and top-2': {
    bytes: 154_000,
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
      const size = sizeOf(await bundle(code, { platform: 'browser' }));
      const gradients = size - sizeOf(await bundle(code, { platform: 'browser', plugins: [withoutGradients] }));
      const text = `${name}: ${size} bytes of gzip, of ${bytes}; ${gradients} of them for gradients that it never asks for`;
      if (size > 50_000 && size <= bytes && gradients > 0) counter.pass(text);
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

function sizeOf(/** @type {import('esbuild').BuildResult} */ { outputFiles }) {
  return gzipSync(outputFiles?.[0]?.contents ?? '', { level: 9 }).length;
}

/** Leaves the VJPs out of all ops, and so what only they need. @type {import('esbuild').Plugin} */
const withoutGradients = {
  name: 'without-gradients',
  setup({ onLoad }) {
    onLoad({ filter: /@paris\/\w+\/dist\/.*\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      /** @type {ts.Node[]} */
      const found = [];
      const visit = (/** @type {ts.Node} */ node) => {
        const property = ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node);
        if (property && node.name.getText() === 'vjp') found.push(node);
        else ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(path, contents, ts.ScriptTarget.ES2022, true));
      for (const node of found.reverse()) {
        contents = `${contents.slice(0, node.getStart())}vjp: undefined${contents.slice(node.end)}`;
      }
      return { contents, loader: 'js' };
    });
  },
};
