// The version of jax-js as it is installed: its package.json is not exported. (A packed session has it from card/pack.js.)
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const entry = createRequire(import.meta.url).resolve('@jax-js/jax');
export const { version } = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8'));
