#!/usr/bin/env node
// npm links a bin only if its target exists at install time, hence this file in front of the built command.
import { existsSync } from 'node:fs';

const command = new URL('../dist/main.js', import.meta.url);
if (existsSync(command)) {
  await import(command.href);
} else {
  console.error('paris: the command is not built yet; run `npm run build` first.');
  process.exitCode = 1;
}
