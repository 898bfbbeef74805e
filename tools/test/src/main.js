// `npm test`: every part, a time table, each skip with its reason, and the counts in the last line.
// `npm test -- lint types` runs only the parts so named; `npm run test:quick` a choice of all.
import { PARTS, QUICK } from './parts.js';
import { runParts, summary } from './runner.js';

const quick = process.argv[2] === '--quick';
const parts = quick ? QUICK : PARTS;
const names = process.argv.slice(quick ? 3 : 2);
const known = parts.flat().map((part) => part.name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; the parts are: ${known.join(', ')}.`);
  process.exit(2);
}

const started = performance.now();
const results = [];
for (const entry of parts) {
  const chosen = [entry].flat().filter((part) => names.length === 0 || names.includes(part.name));
  results.push(...(await runParts(chosen)));
}
const { text, failed } = summary(results, (performance.now() - started) / 1000);
console.log(text);
process.exitCode = failed > 0 ? 1 : 0;
