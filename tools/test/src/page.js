// Who trains in a page installs nothing of Node: no image library, no command line. Who prepares pictures in Node without
// these is given one sentence on what to install.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runNode } from './programs.js';
import { makeProject } from './tarballs.js';

/** What only the command and `/node` need. */
const OF_NODE = ['sharp', 'csv-parse', 'hyparquet', 'commander', 'cli-progress'];

const MISSING = `import { decodeImage, parseCaptions } from '@paris/trainer/node';
const said = (error) => console.log(error.message);
await decodeImage(new Uint8Array(4), { size: 4 }).catch(said);
await parseCaptions('file,caption').catch(said);
`;
const SENTENCES = `[prepare] decoding pictures needs the package sharp, which is not installed. Run npm install sharp.
[prepare] reading captions needs the package csv-parse, which is not installed. Run npm install csv-parse.
`;

/**
 * @param {import('./counter.js').Counter} counter
 * @param {readonly import('./tarballs.js').Tarball[]} tarballs
 */
export async function checkPage(counter, tarballs) {
  const project = makeProject(below('@paris/trainer', tarballs), { files: { 'missing.js': MISSING } });
  try {
    const installed = project.installed.filter((name) => OF_NODE.includes(name));
    const { metafile } = await build({
      stdin: { contents: `export * from '@paris/trainer';`, resolveDir: project.folder },
      bundle: true,
      format: 'esm',
      platform: 'browser', // a module of Node is an error there
      metafile: true,
      write: false,
      outfile: join(project.folder, 'out.js'),
      logLevel: 'silent',
    });
    const held = OF_NODE.filter((name) =>
      Object.keys(metafile.inputs).some((path) => path.includes(`node_modules/${name}/`)),
    );
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    const files = Object.keys(metafile.inputs).length;
    if (files > 50 && installed.length + held.length + outside.length === 0) {
      counter.pass(
        `@paris/trainer installs ${project.installed.length} packages for a page, none of Node, and bundles`,
      );
    } else {
      counter.fail('a page that trains', `installs ${installed}; holds ${held}; imports ${outside}; of ${files} files`);
    }
    const { code, output } = await runNode('missing.js', { cwd: project.folder });
    if (code === 0 && output.trim() === SENTENCES.trim())
      counter.pass('what is missing in Node is reported in a sentence');
    else counter.fail('what is missing in Node', `ended with ${code}\n${output}`);
  } catch (error) {
    counter.fail('a page that trains', error instanceof Error ? error.message : String(error));
  } finally {
    project.remove();
  }
}

/** A package and those of ours that it depends on. @param {string} name @param {readonly import('./tarballs.js').Tarball[]} tarballs */
function below(name, tarballs) {
  /** @type {Set<string>} */
  const wanted = new Set();
  const add = (/** @type {string} */ one) => {
    if (wanted.has(one)) return;
    wanted.add(one);
    const file = new URL(`../../../packages/${one.split('/')[1]}/package.json`, import.meta.url);
    const { dependencies = {} } = JSON.parse(readFileSync(file, 'utf8'));
    for (const other of Object.keys(dependencies)) if (tarballs.some((tarball) => tarball.name === other)) add(other);
  };
  add(name);
  return tarballs.filter((tarball) => wanted.has(tarball.name));
}
