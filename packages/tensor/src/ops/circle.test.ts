// The one circle among imports: tensor.ts gives tensors methods, which are ops; ops take and give tensors. Any module of it
// may be loaded first, by a test or a program, and the others then run before it has. So what they call while they are
// loaded must be there before any module runs: a function declaration, which uses at that moment nothing but what lies
// below the circle.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';

const folder = fileURLToPath(new URL('../', import.meta.url));
const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path === 'tensor.ts' || (path.startsWith('ops/') && !/\.(?:test|testing)\.ts$/.test(path)))
  .filter((path) => path.endsWith('.ts'))
  .sort();

describe('the circle of tensor.ts and ops', () => {
  it('can be entered at any of its modules', async () => {
    const broken: string[] = [];
    for (const path of modules) {
      vi.resetModules();
      await import(/* @vite-ignore */ `${folder}${path}`).catch((error: Error) => {
        const where = /packages\/tensor\/src\/(\S+?):\d+/.exec(error.stack ?? '')?.[1] ?? 'one of them';
        broken.push(`${path}: ${error.message}, used by ${where}`);
      });
    }
    expect(
      broken,
      `These modules cannot be loaded first. tensor.ts and ops import each other, so while one of them is loaded another may \
already call it. Write what is called at the top level of op modules (unary, pointwise, withOp, …) as function declarations, \
with no top-level const or class of the circle behind them; move what they need at once below the circle (graph/, shader/).`,
    ).toEqual([]);
    expect(modules.length).toBeGreaterThan(30);
  });
});
