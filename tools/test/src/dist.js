// The built packages, as a consumer without our build step meets them: every module loads, every exported shader
// function still carries its syntax tree and resolves to WGSL.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import tgpu from 'typegpu';

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
// A command runs when it is imported, so it is not.
const COMMANDS = new Set(['cli/dist/main.js']);

/** @type {string[]} */
const problems = [];
let modules = 0;
let functions = 0;
for (const name of readdirSync(packages)) {
  for (const file of readdirSync(join(packages, name, 'dist'), { recursive: true, encoding: 'utf8' })) {
    const path = join(name, 'dist', file);
    if (file.endsWith('.js') && !COMMANDS.has(path)) await check(path);
  }
}
for (const problem of problems) console.error(problem);
console.log(`${modules} modules load, ${functions} shader functions resolve`);
process.exit(problems.length > 0 ? 1 : 0);

async function check(/** @type {string} */ path) {
  const file = join(packages, path);
  if (/\bv: (?:void 0|undefined)\b/.test(readFileSync(file, 'utf8')))
    problems.push(`${path}: a kernel has no metadata`);
  try {
    const exported = await import(pathToFileURL(file).href);
    modules += 1;
    for (const [name, value] of Object.entries(exported)) {
      if (value?.resourceType !== 'function') continue;
      try {
        tgpu.resolve([value]);
        functions += 1;
      } catch (error) {
        problems.push(`${path}: ${name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  } catch (error) {
    problems.push(`${path} does not load: ${error instanceof Error ? error.message : error}`);
  }
}
