// Planted faults, each with the same kernel without it: the sanitizer reports the one and is silent about the other.
import { afterAll, describe, expect, it } from 'vitest';
import { closeTestDevices, errorOf } from '../gpu/device.testing.js';
import { createGpu, type Finding } from '../index.js';
import { natural } from './order.js';
import { type Arrival, runWorkgroup } from './workgroup.js';

const devices: GPUDevice[] = [];
afterAll(() => {
  closeTestDevices();
  for (const device of devices) device.destroy();
});

interface Options {
  readonly seed?: number;
  readonly subgroupSize?: number;
  readonly groups?: number;
  readonly words?: number;
}

/** Opens a device, runs `main` of a text on one buffer `out`, and says what was found and what is in the buffer. */
async function run(code: string, { groups = 1, words = 64, ...options }: Options = {}) {
  const findings: Finding[] = [];
  const gpu = createGpu({ sanitize: { ...options, onFinding: (finding) => findings.push(finding) } });
  const adapter = await gpu.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: ['subgroups', 'shader-f16'] });
  devices.push(device);
  const out = device.createBuffer({ size: words * 4, usage: 128 | 4 | 8 });
  device.addEventListener('uncapturederror', (event) => {
    throw event.error;
  });
  return { words: await submit(device, code, out, groups), findings };
}

const header = '@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n';

async function submit(device: GPUDevice, code: string, out: GPUBuffer, groups: number): Promise<Uint32Array> {
  const module = device.createShaderModule({
    label: 'planted',
    code: code.includes('var<storage') ? code : header + code,
  });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const entries = [{ binding: 0, resource: { buffer: out } }];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(groups);
  pass.end();
  const copy = device.createBuffer({ size: out.size, usage: 1 | 8 });
  encoder.copyBufferToBuffer(out, 0, copy, 0, out.size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  return new Uint32Array(copy.getMappedRange());
}

const entry = (size: number, body: string, inputs: string) => `@compute @workgroup_size(${size})
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u${inputs}) {
${body}
}`;
const plain = (size: number, body: string) => entry(size, body, '');
const inSubgroups = (size: number, body: string) =>
  entry(size, body, ', @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) width: u32');

const reverse = (barrier: string) => `var<workgroup> tile: array<u32, 16>;
${plain(
  16,
  `tile[i] = i;
${barrier}
out[group.x * 16u + i] = tile[15u - i];`,
)}`;

describe('races', () => {
  it('in workgroup memory, with the lines, the variable and both invocations', async () => {
    const { findings } = await run(reverse(''), { groups: 2 });
    const race = findings.find(({ kind }) => kind === 'race')!;
    expect(race).toMatchObject({ variable: 'tile', shader: 'planted', entryPoint: 'main' });
    expect(race.places.map(({ code }) => code).sort()).toEqual([
      'out[group.x * 16u + i] = tile[15u - i];',
      'tile[i] = i;',
    ]);
    expect(race.places.map(({ does }) => does).sort()).toEqual(['reads', 'writes']);
    const [a, b] = race.places.map(({ invocation }) => invocation.global[0]);
    expect(a! + b!).toBe(15);
    expect(race.message).toMatch(
      /race in "planted", main: of "tile", invocation \(\d+, 0, 0\).* at line 5, `tile\[i\] = i;`.*workgroupBarrier/,
    );
  });

  it('not where a barrier lies between', async () => {
    const { findings, words } = await run(reverse('workgroupBarrier();'), { groups: 2, words: 32 });
    expect(findings).toEqual([]);
    expect([...words]).toEqual(Array.from({ length: 32 }, (_, k) => 15 - (k % 16)));
  });

  it('where the barrier is for the other memory', async () => {
    expect((await run(reverse('storageBarrier();'))).findings.map(({ kind }) => kind)).toContain('race');
    const exchange = (barrier: string) =>
      plain(16, `out[i] = i; ${barrier} let other = out[15u - i]; storageBarrier(); out[i] = other;`);
    expect((await run(exchange('workgroupBarrier();'))).findings.map(({ kind }) => kind)).toContain('race');
    expect((await run(exchange('storageBarrier();'))).findings).toEqual([]);
  });

  it('between workgroups, which no barrier orders', async () => {
    const shared = (index: string) => plain(4, `out[${index}] = group.x; storageBarrier();`);
    const { findings } = await run(shared('i'), { groups: 3 });
    expect(findings.find(({ kind }) => kind === 'race')!.message).toMatch(
      /workgroup \(0, 0, 0\).*workgroup \(1, 0, 0\).*nothing orders/,
    );
    expect((await run(shared('group.x * 4u + i'), { groups: 3 })).findings).toEqual([]);
  });

  it('where one reads first and another writes after it', async () => {
    const shift = (barrier: string) => `var<workgroup> tile: array<u32, 8>;
${plain(8, `tile[i] = i; workgroupBarrier(); let next = tile[(i + 1u) % 8u]; ${barrier} tile[i] = next; workgroupBarrier(); out[i] = tile[i];`)}`;
    expect((await run(shift(''))).findings.map(({ kind }) => kind)).toContain('race');
    expect((await run(shift('workgroupBarrier();'))).findings).toEqual([]);
  });

  it('where all write the same, and where a loop lacks its second barrier', async () => {
    expect((await run(plain(8, 'out[0] = 7u;'))).findings.map(({ kind }) => kind)).toEqual(['race']);
    const loop = (second: string) => `var<workgroup> tile: array<u32, 8>;
${plain(
  8,
  `var sum = 0u;
for (var k = 0u; k < 3u; k++) { tile[i] = i + k; workgroupBarrier(); sum += tile[7u - i]; ${second} }
out[i] = sum;`,
)}`;
    expect((await run(loop(''))).findings.map(({ kind }) => kind)).toContain('race');
    expect((await run(loop('workgroupBarrier();'))).findings).toEqual([]);
  });

  it('not between atomic accesses, but of an atomic and the same memory without', async () => {
    const count = `@group(0) @binding(0) var<storage, read_write> out: array<atomic<u32>>;\n${plain(8, 'atomicAdd(&out[0], i); atomicMax(&out[1], i);')}`;
    const { findings, words } = await run(count, { groups: 2 });
    expect(findings).toEqual([]);
    expect([...words.slice(0, 2)]).toEqual([56, 7]);
  });

  it('of halves of a word only where they are the same half', async () => {
    const half = (index: string) => `enable f16;
@group(0) @binding(0) var<storage, read_write> out: array<f16>;
${plain(8, `out[${index}] = f16(i);`)}`;
    expect((await run(half('i'))).findings).toEqual([]);
    expect((await run(half('i / 2u'))).findings.map(({ kind }) => kind)).toContain('race');
  });
});

describe('out of bounds', () => {
  it.each([
    ['storage', 'out[i + 60u] = 1u;', 'out[i + 56u] = 1u;', 'out', 'takes element 64 of 64'],
    [
      'an array of its own',
      'var own: array<u32, 4>; own[i] = i; out[i] = own[i / 2u];',
      'var own: array<u32, 8>; own[i] = i; out[i] = own[i / 2u];',
      'own',
      'takes element 4 of 4',
    ],
    [
      'a negative index',
      'out[i32(i) - 1] = 1u;',
      'out[i32(i)] = 1u;',
      'out',
      'takes element -1 (4294967295 as u32) of 64',
    ],
    [
      'a vector',
      'var v = vec4u(i); out[i] = v[i];',
      'var v = vec4u(i); out[i] = v[i % 4u];',
      'a vector',
      'takes element 4 of 4',
    ],
    [
      'a read in a branch',
      'if (i == 3u) { let x = out[64u + i]; out[i] = x; }',
      'if (i == 3u) { let x = out[i]; out[i] = x; }',
      'out',
      'takes element 67 of 64',
    ],
  ])('%s', async (_, faulty, clean, variable, does) => {
    const { findings } = await run(plain(8, faulty));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ kind: 'out-of-bounds', variable, places: [{ does }] });
    expect((await run(plain(8, clean))).findings).toEqual([]);
  });

  it('not where && keeps the index away from memory', async () => {
    expect((await run(plain(8, 'if (i < 4u && out[i + 57u + 3u] == 0u) { out[i] = 1u; }'))).findings).toEqual([]);
  });
});

describe('uninitialized workgroup memory', () => {
  const partly = (count: number) => `var<workgroup> tile: array<u32, 16>;
${plain(
  16,
  `if (i < ${count}u) { tile[i] = i; }
workgroupBarrier();
out[i] = tile[15u - i];`,
)}`;

  it('is reported where it is read', async () => {
    const { findings } = await run(partly(12));
    expect(findings.map(({ kind, variable }) => ({ kind, variable }))).toEqual([
      { kind: 'uninitialized', variable: 'tile' },
    ]);
    expect(findings[0]!.places[0]!.line).toBe(7);
    expect((await run(partly(16))).findings).toEqual([]);
  });

  it('is what a workgroup left to the next one, too; counting from zero is not', async () => {
    const once = `var<workgroup> tile: array<u32, 4>;
${plain(4, 'if (group.x == 0u) { tile[i] = i; } workgroupBarrier(); out[group.x * 4u + i] = tile[i];')}`;
    expect((await run(once, { groups: 2 })).findings.map(({ kind }) => kind)).toEqual(['uninitialized']);
    const count = `var<workgroup> counter: atomic<u32>;
${plain(4, 'atomicAdd(&counter, 1u); workgroupBarrier(); out[group.x * 4u + i] = atomicLoad(&counter);')}`;
    expect((await run(count, { groups: 2 })).findings).toEqual([]);
  });
});

describe('divergence', () => {
  it('of subgroup operations that some of a subgroup skip', async () => {
    const sum = (condition: string) => `enable subgroups;
diagnostic(off, subgroup_uniformity);
${header}${inSubgroups(16, `if (${condition}) { out[i] = subgroupAdd(i); }`)}`;
    const { findings } = await run(sum('i != 5u'), { subgroupSize: 8 });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ kind: 'divergence', variable: 'subgroupAdd' });
    expect(findings[0]!.message).toMatch(
      /not all invocations of the subgroup reach subgroupAdd.*invocation \(5, 0, 0\) has ended/,
    );
    // The second of two subgroups skips it together.
    const { findings: none, words } = await run(sum('i < 8u'), { subgroupSize: 8 });
    expect(none).toEqual([]);
    expect([...words.slice(0, 9)]).toEqual([28, 28, 28, 28, 28, 28, 28, 28, 0]);
  });

  it('of barriers', () => {
    const barrier = { kind: 'barrier', source: { name: 'workgroupBarrier', at: { line: 3, column: 1 } } } as const;
    const arrivals = (skips: (index: number) => boolean): [Arrival, Arrival][] => {
      const found: [Arrival, Arrival][] = [];
      const epoch = { storage: 0, workgroup: 0 };
      runWorkgroup(
        {
          *invocation(index: number) {
            if (!skips(index)) yield 0;
          },
          meetings: [barrier],
          now: { invocation: 0, first: 0, perWorkgroup: 4, epoch },
          invocations: 4,
          subgroupSize: 4,
          shown: new Float64Array(4),
          lanes: new Int32Array(4),
          roundF16: Number,
          order: natural,
          diverged: (a, b) => found.push([a, b]),
        },
        0,
        [0, 0, 0],
      );
      expect(epoch.workgroup).toBe(1);
      return found;
    };
    expect(arrivals(() => false)).toEqual([]);
    expect(arrivals((index) => index === 2)).toEqual([
      [
        { index: 0, meeting: barrier },
        { index: 2, meeting: undefined },
      ],
    ]);
  });
});

describe('order', () => {
  const append = `@group(0) @binding(0) var<storage, read_write> out: array<atomic<u32>>;
${plain(
  8,
  `let at = atomicAdd(&out[0], 1u);
atomicStore(&out[1u + at], group.x * 8u + i);`,
)}`;

  it('is reported where results depend on it, and never what does not', async () => {
    const { findings, words } = await run(append, { groups: 2 });
    expect(findings.map(({ kind, variable }) => ({ kind, variable }))).toEqual([{ kind: 'order', variable: 'out' }]);
    expect(findings[0]!.places).toHaveLength(2);
    expect(findings[0]!.places[0]!.code).toBe('atomicStore(&out[1u + at], group.x * 8u + i);');
    // What is left is that of the natural order.
    expect([...words.slice(0, 17)]).toEqual([16, ...Array.from({ length: 16 }, (_, k) => k)]);
  });

  it('is another one for another seed, and the same for the same', async () => {
    const messages = await Promise.all(
      [1, 1, 2].map(async (seed) => (await run(append, { seed })).findings[0]!.message),
    );
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).not.toBe(messages[2]);
  });
});

describe('subgroups', () => {
  it.each([4, 8, 16, 32, 64])('of %d', async (subgroupSize) => {
    const code = `enable subgroups;\n${header}${inSubgroups(64, 'let sum = subgroupAdd(1u); out[i] = sum * 10000u + width * 100u + subgroupShuffleXor(lane, 1u);')}`;
    const { findings, words } = await run(code, { subgroupSize });
    expect(findings).toEqual([]);
    expect([...words]).toEqual(Array.from({ length: 64 }, (_, k) => subgroupSize * 10100 + ((k % subgroupSize) ^ 1)));
  });

  it('order no memory', async () => {
    const code = `enable subgroups;
var<workgroup> tile: array<u32, 8>;
${header}${inSubgroups(8, 'tile[i] = i; let sum = subgroupAdd(i); out[i] = sum + tile[7u - i];')}`;
    expect((await run(code, { subgroupSize: 8 })).findings.map(({ kind }) => kind)).toContain('race');
  });
});

describe('a sanitized device', () => {
  it('makes each finding a validation error where nobody takes it, once', async () => {
    const adapter = await createGpu({ sanitize: true }).requestAdapter();
    expect(adapter!.info).toMatchObject({ description: 'Paris, sanitized', subgroupMinSize: 32, subgroupMaxSize: 32 });
    const device = await adapter!.requestDevice();
    devices.push(device);
    const out = device.createBuffer({ size: 256, usage: 128 | 4 });
    let done: Promise<unknown> = Promise.resolve();
    const error = await errorOf(device, () => {
      done = submit(device, plain(2, 'out[0] = i;'), out, 1);
    });
    expect(error).toMatch(/^race in "planted", main: of "out", invocation \(0, 0, 0\)/);
    await done;
    expect(await errorOf(device, () => void submit(device, plain(2, 'out[0] = i;'), out, 1))).toBe('');
  });

  it('refuses options that are none', () => {
    expect(() => createGpu({ sanitize: { subgroupSize: 5 } })).toThrow(
      /sanitize.subgroupSize must be 4, 8, 16, 32 or 64, not 5/,
    );
    expect(() => createGpu({ sanitize: { seed: 0.5 } })).toThrow(RangeError);
    expect(() => createGpu({ sanitize: { onFinding: 5 as never } })).toThrow('onFinding must be a function, not 5.');
  });
});
