// The packed packages as npm installs them into an empty project, without TypeGPU: npm 10 and npm 11. Both sample the examples' model under Node; one of them also under Deno and on a page built by Vite.
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { openPage } from './browser.js';
import { CHROMIUM } from './chromium.js';
import { Counter } from './counter.js';
import { ROOT } from './markdown.js';
import { environmentOf, runNode, runProgram } from './programs.js';
import { packAll } from './tarballs.js';

const MODEL = join(ROOT, 'examples', 'quickstart', 'model');
const DENO = join(ROOT, 'node_modules', '.bin', 'deno');

const draw = (
  /** @type {string} */ model,
  /** @type {string} */ show,
) => `import { loadPipeline } from '@paris/sampler';
try {
  const pipeline = await loadPipeline(${model});
  const { images, expertPictures } = await pipeline.generate({ prompt: 'cat face', steps: 2, routing: 'top2' });
  const sum = expertPictures.reduce((a, b) => a + b, 0);
  await pipeline.close();
  ${show}(\`drawn in \${sum} evaluations, \${new Set(images[0].data).size} levels\`);
} catch (error) {
  ${show}(error.message);
}
`;
/** Two steps of two experts; noise or a blank picture would have very many levels or few. */
const DRAWN = /^drawn in 4 evaluations, \d{2,3} levels$/m;

const FILES = {
  'draw.mjs': draw(JSON.stringify(MODEL), 'console.log'),
  'page.js': draw("new URL('.', document.baseURI)", 'document.title = String'),
  'index.html': '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./page.js"></script>',
  'deno.json': JSON.stringify({ nodeModulesDir: 'manual' }),
};

const counter = new Counter();
const packed = mkdtempSync(join(tmpdir(), 'paris-packed-'));
const tarballs = packAll(packed).map(({ file }) => file);
const { env, reason } = await environmentOf('auto');
for (const npm of ['npm@10', 'npm@11']) {
  const folder = mkdtempSync(join(tmpdir(), 'paris-installed-'));
  try {
    await check(folder, npm);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
rmSync(packed, { recursive: true, force: true });
counter.end();

/** @param {string} folder @param {string} npm */
async function check(folder, npm) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1'];
  const install = ['npx', '--yes', npm, 'install', ...flags, ...tarballs];
  const { code, output } = await runProgram(install, { cwd: folder });
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(output)) {
    return counter.skip(npm, 'registry', 'it does not answer');
  }
  if (code !== 0) return counter.fail(npm, output);
  if (existsSync(join(folder, 'node_modules/typegpu'))) return counter.fail(npm, 'it installed typegpu');
  counter.pass(`${npm} installs`);

  const paris = await runProgram(['npx', '--no', '@paris/cli', '--version'], { cwd: folder });
  if (paris.code === 0 && /^\d+\.\d+\.\d+$/m.test(paris.output)) counter.pass(`npx @paris/cli, ${npm}`);
  else counter.fail(`npx @paris/cli, ${npm}`, `ended with ${paris.code}\n${paris.output}`);

  // Dawn is an optional peer of 130 MB: the workspace's own will do.
  symlinkSync(join(ROOT, 'node_modules/webgpu'), join(folder, 'node_modules/webgpu'));
  if (!env) return counter.skip(`a program installed by ${npm}`, 'adapter', reason);
  report(`Node, ${npm}`, await runNode('draw.mjs', { cwd: folder, env }));
  if (npm === 'npm@10') return;
  if (!existsSync(DENO)) counter.skip(`Deno, ${npm}`, 'deno', 'the package deno is not installed');
  else {
    const permissions = ['--no-prompt', '--allow-read'];
    report(`Deno, ${npm}`, await runProgram([DENO, 'run', ...permissions, 'draw.mjs'], { cwd: folder, env }));
  }
  if (!CHROMIUM) return counter.skip(`Vite, ${npm}`, 'chromium', 'none is installed');
  await build({ root: folder, publicDir: MODEL, build: { target: 'es2022' }, logLevel: 'silent' });
  const titled = async (/** @type {boolean} */ webgpu) => {
    let title = '';
    const wrong = await openPage({ root: folder, webgpu }, async (page) => {
      await page.waitForFunction(() => document.title !== '');
      title = await page.title();
      return [];
    });
    return { code: wrong.length, output: [title, ...wrong].join('\n') };
  };
  report(`Vite, ${npm}`, await titled(true));
  report(`Vite without WebGPU, ${npm}`, await titled(false));
}

/** @param {string} name @param {{ code: number | string, output: string }} result */
function report(name, { code, output }) {
  if (code === 0 && DRAWN.test(output)) counter.pass(`${name}: ${DRAWN.exec(output)?.[0]}`);
  else counter.fail(name, `ended with ${code}\n${output}`);
}
