// Every op is checked, and every stored reference is used: read from the sources, since suites run in other processes.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('./', import.meta.url));
const fixtures = fileURLToPath(new URL('../../fixtures/ops/', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const tests = files.filter((file) => file.endsWith('.test.ts')).map((file) => readFileSync(folder + file, 'utf8'));
const modules = files.filter((file) => !/\.(test|testing)\.ts$/.test(file));

/** An op that is part of another: what it is checked through. */
const through: Readonly<Record<string, string>> = {
  attentionBackwardQuery: 'attention',
  attentionBackwardKey: 'attention',
  copyOp: 'identity', // the compiler's own, where a value needs memory of its own
};

function names(pattern: RegExp): Set<string> {
  return new Set(tests.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]!)));
}

interface Exported {
  readonly kind?: string;
  readonly op?: { readonly kind: string };
}

it('every op has a checkOp call', async () => {
  const checked = names(/\bops\.(?:check|elementwise)\(\s*(\w+)/g);
  const missing: string[] = [];
  let found = 0;
  for (const file of modules) {
    const module = (await import(/* @vite-ignore */ folder + file)) as Record<string, Exported>;
    for (const [name, value] of Object.entries(module)) {
      if (!(typeof value === 'function' || typeof value === 'object') || !value) continue;
      const op = value.op ?? (value.kind ? (value as { kind: string }) : undefined);
      if (!op || op.kind === 'leaf') continue;
      found++;
      if (!checked.has(through[name] ?? name)) missing.push(`${file}: ${name}`);
    }
  }
  expect(missing).toEqual([]);
  expect(found).toBeGreaterThan(50);
});

it('every fixture is used by a test', () => {
  const used = names(/\bops\.(?:check|elementwise)\(\s*\w+,\s*'(\w+)'/g);
  const stored = readdirSync(fixtures).map((file) => file.replace('.json', ''));
  expect(stored.filter((name) => !used.has(name))).toEqual([]);
  expect(stored.length).toBeGreaterThan(50);
});
