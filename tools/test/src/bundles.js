// What the packed packages become in a bundle: nothing of Node in a browser's, Dawn left outside of Node's, and their sizes.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import ts from 'typescript';
import { build as buildPage } from 'vite';
import { runNode } from './programs.js';
import { makeProject } from './tarballs.js';

/** gzip, in bytes: of a page that Vite builds, as our guides do, and of what esbuild makes. */
const BUDGETS = {
  'a product and a map': {
    vite: 38_000,
    esbuild: 38_500,
    code: `import { matmul, openDevice, silu } from '@paris/tensor';
const device = await openDevice();
console.log(await silu(matmul(device.tensor([[1]]), device.tensor([[2]]))).read());
await device.close();`,
  },
  'sampling with DiT and top-2': {
    vite: 83_000,
    esbuild: 90_600, // it puts what is exported and also loaded later (samplers, schedules) into the first load
    code: `import { loadPipeline, top } from '@paris/sampler';
const pipeline = await loadPipeline('https://example.com/model');
console.log(await pipeline.generate({ prompt: 'cat face', routing: top(2) }));`,
  },
  'sampling in latent space with CLIP': {
    vite: 101_100,
    esbuild: 110_000,
    code: `import { autoencoderKL } from '@paris/encoders/autoencoder';
import { clip } from '@paris/encoders/clip';
import { loadPipeline, top } from '@paris/sampler';
const parts = { codecs: [autoencoderKL], textEncoders: [clip] }; // loaded by name they would be chunks of their own
const pipeline = await loadPipeline('https://example.com/model', parts);
console.log(await pipeline.generate({ prompt: 'cat face', routing: top(2) }));`,
  },
};

/** gzip, in bytes, of the CPU device: a chunk of its own, which a page loads only where there is no GPU. */
const CPU_BUDGET = 76_700;
/** Shows the message of a shader that is wrong. */
const UNKNOWN_NAME = `import { createGpu } from '@paris/cpu';
const adapter = await createGpu().requestAdapter();
const device = await adapter.requestDevice();
device.pushErrorScope('validation');
const { messages } = await device.createShaderModule({ code: 'const y = x;' }).getCompilationInfo();
const error = await device.popErrorScope();
for (const { message } of messages) console.log(error.message.includes(message) ? message : error.message);
device.destroy();`;
/** Of its sanitizer, which a program loads that asks for it. */
const SANITIZER_BUDGET = 12_000;
const isSanitizer = (/** @type {string} */ path) => /@paris[\\/]cpu[\\/](.*[\\/])?sanitize[\\/]/.test(path);
const isDevice = (/** @type {string} */ path) => /@paris[\\/]cpu[\\/]dist[\\/]index\.js$/.test(path);
const isCpu = (/** @type {string} */ path) => /@paris[\\/]cpu[\\/]/.test(path);

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

    for (const [name, { vite, esbuild, code }] of Object.entries(BUDGETS)) {
      const { page, cpu, sanitizer } = await pageBytes(project.folder, code);
      const gradients = page - (await pageBytes(project.folder, code, [withoutGradients])).page;
      const split = await bundle(code, {
        platform: 'browser',
        splitting: true,
        outfile: undefined,
        outdir: project.folder,
      });
      const other = firstBytes(split);
      if (cpu > 20_000 && cpu <= CPU_BUDGET) counter.pass(`${name}: without a GPU ${cpu} bytes more, of ${CPU_BUDGET}`);
      else counter.fail('size', `${name}: the CPU device takes ${cpu} bytes of gzip, of ${CPU_BUDGET}`);
      if (sanitizer > 4_000 && sanitizer <= SANITIZER_BUDGET)
        counter.pass(`${name}: the sanitizer ${sanitizer} bytes more`);
      else counter.fail('size', `${name}: the sanitizer takes ${sanitizer} bytes of gzip, of ${SANITIZER_BUDGET}`);
      const text = `${name}: ${page} bytes of gzip, of ${vite}; ${gradients} of them for gradients that it never asks for. esbuild: ${other}, of ${esbuild}`;
      if (page > 30_000 && page <= vite && other <= esbuild && gradients > 0) counter.pass(text);
      else counter.fail('size', text);
    }

    await bundle(UNKNOWN_NAME, { platform: 'browser', write: true });
    checkError(counter, await runNode('out.js', { cwd: project.folder }));

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

/**
 * A bundle for browsers runs under Node, too. An error has its sentence, which is loaded later.
 * @param {import('./counter.js').Counter} counter
 * @param {{ code: number | null, output: string }} ended
 */
function checkError(counter, { code, output }) {
  if (code === 0 && output.trim() === 'There is no "x" here.') counter.pass('an error of the CPU device');
  else counter.fail('an error of the CPU device', `ended with ${code}\n${output}`);
}

/** What of esbuild's chunks a page downloads at first. @param {import('esbuild').BuildResult} result */
function firstBytes({ metafile, outputFiles = [] }) {
  const made = Object.entries(metafile?.outputs ?? {});
  const sizeOf = (/** @type {string} */ name) =>
    gzipBytes(outputFiles.find(({ path }) => path.endsWith(basename(name)))?.text);
  const first = new Set(made.filter(([, { entryPoint }]) => entryPoint === '<stdin>'));
  for (const [, { imports }] of first) {
    for (const chunk of made) {
      if (imports.some(({ path, kind }) => kind === 'import-statement' && path === chunk[0])) first.add(chunk);
    }
  }
  return [...first].reduce((sum, [name]) => sum + sizeOf(name), 0);
}

/** What a page of this module downloads at first, and what more without a GPU. @param {string} folder @param {string} code @param {import('vite').Plugin[]} plugins */
async function pageBytes(folder, code, plugins = []) {
  const entry = join(folder, 'page.js');
  writeFileSync(entry, code);
  const built = await buildPage({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    plugins,
    build: { target: 'es2022', write: false, rolldownOptions: { input: entry } },
  });
  const outputs = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
  const chunks = outputs.filter((file) => file.type === 'chunk');
  const bytesOf = (/** @type {typeof chunks} */ some) => some.reduce((sum, { code }) => sum + gzipBytes(code), 0);
  /** Some of the chunks, and what they import statically: the rest is loaded by programs that ask for it. */
  const loadedWith = (/** @type {typeof chunks} */ some, of = chunks) => {
    const all = new Set(some);
    for (const { imports } of all) for (const chunk of of) if (imports.includes(chunk.fileName)) all.add(chunk);
    return [...all];
  };
  const ofCpu = chunks.filter(({ moduleIds }) => moduleIds.every(isCpu));
  const sanitizer = ofCpu.filter(({ moduleIds }) => moduleIds.some(isSanitizer));
  // The sentences of errors are not loaded with it, nor what only Deno, Bun and Node need.
  const device = ofCpu.filter(({ moduleIds }) => moduleIds.some(isDevice));
  const page = bytesOf(loadedWith(chunks.filter(({ isEntry }) => isEntry)));
  return { page, cpu: bytesOf(loadedWith(device, ofCpu)), sanitizer: bytesOf(sanitizer) };
}

function gzipBytes(/** @type {string | undefined} */ text) {
  return gzipSync(text ?? '', { level: 9 }).length;
}

/** Leaves the VJPs out of all ops, and so what only they need. @type {import('vite').Plugin} */
const withoutGradients = {
  name: 'without-gradients',
  transform(code, path) {
    if (!/@paris\/\w+\/dist\/.*\.js$/.test(path)) return;
    let contents = code;
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
    return contents;
  },
};
