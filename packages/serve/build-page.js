// The page of examples/browser as one module of strings, dist/page/files.js: a server has it wherever it runs, with no file system.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../../examples/browser/', import.meta.url));
const folder = fileURLToPath(new URL('dist/page/', import.meta.url));

const built = await build({ root, mode: 'serve', logLevel: 'error', build: { write: false } });
const outputs = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
const files = Object.fromEntries(
  outputs.map((file) => [file.fileName, file.type === 'chunk' ? file.code : textOf(file.source)]),
);
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}files.js`, `export const files = ${JSON.stringify(files, null, 1)};\n`);

/** @param {string | Uint8Array} source */
function textOf(source) {
  return typeof source === 'string' ? source : new TextDecoder('utf-8', { fatal: true }).decode(source);
}
