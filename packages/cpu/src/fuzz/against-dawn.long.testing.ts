// 20,000 random programs and mutants, in pieces that are recorded: started again, it continues where it was. By hand:
// PARIS_ADAPTER=swiftshader npm run test:long -- against-dawn
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checkSeeds, openBoth, type Tally } from './check.testing.js';

const first = Number(process.env.PARIS_FUZZ_SEED ?? 1001);
const programs = Number(process.env.PARIS_FUZZ_PROGRAMS ?? 20_000);
const PIECE = 20;
const folder = fileURLToPath(new URL('../../../../.cache/fuzz/', import.meta.url));

interface Progress extends Tally {
  next: number;
  readonly found: Record<string, string>;
}

it('takes and computes random programs as another implementation does', { timeout: 0 }, async () => {
  const both = await openBoth();
  if (!both) throw new Error('Dawn finds no adapter: set PARIS_ADAPTER to swiftshader or lavapipe.');
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${/swiftshader/i.test(both.name) ? 'swiftshader' : 'lavapipe'}-${first}.json`;
  const record: Progress = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { next: first, programs: 0, valid: 0, refused: 0, found: {} };
  while (record.programs < programs) {
    for (const [seed, text] of await checkSeeds(both, record.next, PIECE, record)) {
      record.found[seed] = text;
      // Counted as checked: the record would not get to its end otherwise.
      record.programs++;
    }
    record.next += PIECE;
    writeFileSync(file, JSON.stringify(record, undefined, 2));
    console.log(`${both.name}: ${record.programs} programs, ${Object.keys(record.found).length} found`);
  }
  both.close();
  expect(record.found).toEqual({});
});
