// Every stored layer is compared: read from the text of the suite, which runs elsewhere.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('every fixture is used by a test', () => {
  const suite = readFileSync(new URL('./transformer.test.ts', import.meta.url), 'utf8');
  const folder = new URL('../../fixtures/transformer/', import.meta.url);
  const stored = readdirSync(folder).map((file) => file.replace('.json', ''));
  expect(stored.filter((name) => !suite.includes(`\n  ${name}: {`))).toEqual([]);
  expect(stored).toHaveLength(4);
});
