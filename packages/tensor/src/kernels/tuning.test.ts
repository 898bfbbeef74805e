// Tables of measured kernels: what they may hold, that they are heeded, and that measuring makes one.
import { describe, expect, it } from 'vitest';
import { openDevice } from '../device/open.js';
import { tune } from '../device/tune.js';
import { attention, hostNormal, key } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import { attentionCandidates, chooseAttention } from './attention/choose.js';
import { chooseMatmul, matmulCandidates } from './matmul/choose.js';
import { attentionClass, matmulClass, parseTuningTable, type TuningTable } from './tuning.js';

const device = useDevice();
const empty: TuningTable = { format: 'paris-tuning', version: 1, fingerprint: 'none', matmul: {}, attention: {} };
const limits = { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 16384 };

describe('a tuning table', () => {
  it('puts sizes into classes of powers of two', () => {
    expect(matmulClass({ m: 1000, n: 192, k: 65, batch: 1 })).toBe('1024x256x64');
    expect(matmulClass({ m: 1, n: 1e6, k: 3, batch: 8 })).toBe('batched 4x8192x4');
  });

  it('decides where it says something, and the rules decide elsewhere', () => {
    const choice = { kernel: 'registerTile', rows: 3, columns: 1 } as const;
    const row = { kernel: 'subgroupTile', lanes: 4, rows: 1, others: 2 } as const;
    const tuning = { ...empty, matmul: { '64x64x64': choice }, attention: { 'forward 64': row } };
    for (const software of [true, false]) {
      const adapter = { software, tuning };
      expect(chooseMatmul({ m: 64, n: 64, k: 64, batch: 1 }, adapter)).toEqual(choice);
      expect(chooseMatmul({ m: 64, n: 64, k: 64, batch: 2 }, adapter)).not.toEqual(choice);
      expect(chooseAttention('forward', 64, adapter)).toEqual(row);
      expect(chooseAttention('forward', 72, adapter)).toEqual(chooseAttention('forward', 72, { software }));
    }
  });

  it('holds all that can be measured', () => {
    for (const adapter of [
      { software: true, subgroupSize: 8 },
      { software: true, architecture: 'wasm' },
      { software: false },
    ]) {
      const products = matmulCandidates({ m: 4096, n: 4096, k: 4096, batch: 1 }, adapter, limits);
      const heads = [8, 64, 256].flatMap((width) => attentionCandidates('backwardKey', width, adapter));
      for (const choice of products) expect(parseTuningTable({ ...empty, matmul: { x: choice } })).toBeDefined();
      for (const choice of heads) expect(parseTuningTable({ ...empty, attention: { x: choice } })).toBeDefined();
    }
  });

  it('has candidates that fit the adapter, without the same one twice', () => {
    for (const software of [true, false]) {
      const shape = { m: 256, n: 256, k: 64, batch: 1 };
      const found = matmulCandidates(shape, { software }, limits);
      expect(found[0]).toEqual(chooseMatmul(shape, { software }));
      expect(new Set(found.map((choice) => JSON.stringify(choice))).size).toBe(found.length);
      expect(found.length).toBeGreaterThan(5);
      for (const choice of found) {
        if (!('depth' in choice) || choice.kernel === 'packedTile' || choice === found[0]) continue;
        const { blockRows, blockColumns, depth, rows, columns } = choice;
        expect((blockRows / rows) * (blockColumns / columns)).toBeLessThanOrEqual(256);
        expect(4 * depth * (blockRows + blockColumns)).toBeLessThanOrEqual(16384);
      }
    }
  });

  it('has for a card vectors of four, and subgroups where they have one size', () => {
    const shape = { m: 512, n: 1152, k: 1152, batch: 1 };
    const kernels = (subgroupSize?: number) =>
      new Set(matmulCandidates(shape, { software: false, subgroupSize }, limits).map(({ kernel }) => kernel));
    expect(kernels()).toEqual(new Set(['workgroupTile', 'vectorTile']));
    expect(kernels(32)).toEqual(new Set(['workgroupTile', 'vectorTile', 'subgroupTile']));
    const attention = attentionCandidates('forward', 72, { software: false, subgroupSize: 32 });
    expect(attention.some((choice) => choice.kernel === 'subgroupTile' && choice.lanes === 32)).toBe(true);
  });

  const wrong: [string, unknown][] = [
    [
      'matmul 4x4x4 has rows and columns that are no multiples of 4',
      {
        ...empty,
        matmul: {
          '4x4x4': { kernel: 'vectorTile', blockRows: 32, blockColumns: 32, depth: 8, rows: 4, columns: 2 },
        },
      },
    ],
    ["its format is not 'paris-tuning', version 1", []],
    ["its format is not 'paris-tuning', version 1", { ...empty, version: 2 }],
    ['it names no adapter', { ...empty, fingerprint: 1 }],
    ["it has no part 'attention'", { ...empty, attention: null }],
    [
      'matmul 4x4x4 names none of the kernels plain, registerTile, subgroupTile, packedTile, workgroupTile, vectorTile',
      { ...empty, matmul: { '4x4x4': { kernel: 'best' } } },
    ],
    [
      "attention forward 64 has no whole number 'rows' from 1 to 64",
      { ...empty, attention: { 'forward 64': { kernel: 'subgroupTile', lanes: 8, rows: 1.5 } } },
    ],
  ];
  const large: [string, unknown][] = [
    ["matmul 4x4x4 has no whole number 'rows' from 1 to 64", { rows: 1e9, columns: 8 }],
    ["matmul 4x4x4 has no whole number 'rows' from 1 to 64", { rows: 0, columns: 8 }],
    ['matmul 4x4x4 holds more than 1024 sums', { rows: 64, columns: 64 }],
  ];
  for (const [message, tile] of large) {
    wrong.push([message, { ...empty, matmul: { '4x4x4': { kernel: 'registerTile', ...(tile as object) } } }]);
  }
  for (const kernel of ['constructor', '__proto__', 'toString']) {
    const message =
      'matmul 4x4x4 names none of the kernels plain, registerTile, subgroupTile, packedTile, workgroupTile, vectorTile';
    wrong.push([message, { ...empty, matmul: { '4x4x4': { kernel } } }]);
  }
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [i, { kernel: 'plain' }]));
  wrong.push(['matmul has 10001 classes, more than 10000', { ...empty, matmul: many }]);
  for (const [message, json] of wrong) {
    it(`is refused: ${message}`, () => {
      expect(() => parseTuningTable(json)).toThrow(
        `[tuning] this is no tuning table: ${message}. Make one with \`paris tune\`.`,
      );
    });
  }

  it('of another adapter is refused', async (context) => {
    device(context);
    await expect(openDevice({ tuning: empty })).rejects.toThrow(
      /^\[openDevice\] the tuning table was measured on another adapter than .*\. Measure this one with/,
    );
  });
});

describe('tune', () => {
  it('makes a table of this adapter, whose kernels give the same results', async (context) => {
    const on = device(context);
    const seen: string[] = [];
    const table = await tune(on, {
      matmul: [{ m: 33, n: 17, k: 9, batch: 1 }],
      attention: [{ batch: 1, tokens: 9, heads: 2, headDim: 8 }],
      candidates: 2,
      repetitions: 1,
      onProgress: ({ name, candidates }) => seen.push(`${name} ${candidates}`),
    });
    expect(seen).toEqual([
      'matmul 32x16x8 2',
      'attention forward 8 2',
      'attention backwardQuery 8 2',
      'attention backwardKey 8 2',
    ]);
    expect(parseTuningTable(JSON.parse(JSON.stringify(table)))).toEqual(table);
    expect(table.fingerprint).toBe(on.info.fingerprint);
    // A table that differs from the rules everywhere, by hand: the results stay.
    const other = attentionCandidates('forward', 8, on.adapter)[1]!;
    const forced = await openDevice({
      tuning: { ...table, attention: { [attentionClass('forward', 8)]: other } },
    });
    const values = hostNormal(key(1), 2 * 9 * 2 * 8);
    const run = async (which: typeof on) => {
      const x = which.tensor(values, { shape: [2, 9, 2, 8] });
      return attention(x, x, x).read();
    };
    const [got, expected] = [await run(forced), await run(on)];
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-5);
    await forced.close();
  });
});
