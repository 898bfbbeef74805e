// The one line that sets the npm scope: a copy of the repository in which it is another packs, and samples, under that.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { renameScope, scopeOf, textFiles } from '../../scope.js';
import { ROOT } from './markdown.js';
import { runNode } from './programs.js';
import { makeProject, packAll } from './tarballs.js';

const OTHER = '@somebody-else';
/** What a sampling page needs. */
const PACKED = ['files', 'cpu', 'tensor', 'model', 'dit', 'router', 'encoders', 'sampler'];
const LEFT_OUT = new Set(['node_modules', '.git', '.turbo', '.cache', 'fixtures']);

/** @param {import('./counter.js').Counter} counter @param {NodeJS.ProcessEnv | undefined} env in which a process finds an adapter */
export async function checkScope(counter, env) {
  const { wanted, used } = scopeOf(ROOT);
  if (wanted !== used)
    return counter.fail('scope', `package.json says ${wanted}, the packages ${used}. Run: npm run scope`);
  const copy = mkdtempSync(join(tmpdir(), 'paris-scope-'));
  try {
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
    const manifest = join(copy, 'package.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(`"scope": "${used}"`, `"scope": "${OTHER}"`));
    const count = renameScope(copy);
    const left = textFiles(copy).filter((file) => readFileSync(file, 'utf8').includes(`${used}/`));
    if (count === 0 || left.length > 0)
      return counter.fail('scope', `${count} files renamed, not ${left.map((file) => relative(copy, file))}`);
    const tarballs = packAll(copy, { root: copy, names: PACKED });
    const foreign = tarballs.filter(({ name }) => !name.startsWith(`${OTHER}/`));
    if (foreign.length > 0) return counter.fail('scope', `packed as ${foreign.map(({ name }) => name)}`);
    counter.pass(`one line renames ${count} files and packs as ${tarballs.map(({ name }) => name).join(', ')}`);
    if (!env) return counter.skip(`sampling with ${OTHER}`, 'adapter', 'there is none');
    await samples(counter, tarballs, env);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @param {import('./counter.js').Counter} counter @param {readonly import('./tarballs.js').Tarball[]} tarballs @param {NodeJS.ProcessEnv} env */
async function samples(counter, tarballs, env) {
  const model = JSON.stringify(join(ROOT, 'examples/quickstart/model'));
  const program = `import { loadPipeline } from '${OTHER}/sampler';
const pipeline = await loadPipeline(${model});
const { images } = await pipeline.generate({ prompt: 'cat face', steps: 1 });
await pipeline.close();
console.log(images[0].width);`;
  const project = makeProject(tarballs, { optional: ['webgpu'], files: { 'draw.js': program } });
  const { code, output } = await runNode('draw.js', { cwd: project.folder, env });
  if (code === 0 && /^\d+$/m.test(output)) counter.pass('and samples');
  else counter.fail('scope', `ended with ${code}\n${output}`);
  project.remove();
}
