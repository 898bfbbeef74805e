// The built packages, as a consumer without our build step meets them: every module loads, shader functions are WGSL, and
// nothing but the entry for TypeGPU's functions asks for TypeGPU.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
// A command runs when it is imported, so it is not.
const COMMANDS = new Set(['cli/dist/main.js']);
/** Behind `@paris/tensor/typegpu`. */
const OF_TYPEGPU = new Set(['fn', 'data', 'typegpu'].map((name) => join('tensor', 'dist', 'shader', `${name}.js`)));

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
if (functions < 8) problems.push(`only ${functions} shader functions are WGSL`);
for (const problem of problems) console.error(problem);
console.log(`${modules} modules load, ${functions} shader functions are WGSL`);
process.exit(problems.length > 0 ? 1 : 0);

async function check(/** @type {string} */ path) {
  const file = join(packages, path);
  const code = readFileSync(file, 'utf8');
  if (!OF_TYPEGPU.has(path) && /from ["']typegpu|^\s*["']use gpu["'];/m.test(code))
    problems.push(`${path} needs TypeGPU`);
  try {
    const exported = await import(pathToFileURL(file).href);
    modules += 1;
    for (const [name, value] of Object.entries(exported)) {
      if (!Array.isArray(value?.declarations)) continue;
      functions += 1;
      if (!value.declarations.at(-1)?.startsWith('fn ')) problems.push(`${path}: ${name} is no function`);
    }
  } catch (error) {
    problems.push(`${path} does not load: ${error instanceof Error ? error.message : error}`);
  }
}
