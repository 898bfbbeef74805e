// `npm test`: every part, a time table, each skip with its reason, and the counts in the last line.
// `npm test -- lint types` runs only the parts so named.
import { PARTS } from './parts.js';
import { runPart, summary } from './runner.js';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; the parts are: ${PARTS.map((part) => part.name).join(', ')}.`);
  process.exit(2);
}

const results = [];
for (const part of PARTS) {
  if (names.length === 0 || names.includes(part.name)) results.push(await runPart(part));
}
const { text, failed } = summary(results);
console.log(text);
process.exitCode = failed > 0 ? 1 : 0;
