// Control flow, variables, memory and barriers.
import { describe, expect, it } from 'vitest';
import { execute } from './compile.testing.js';
import { modes } from './modes.testing.js';

const out = (count: number) => new Uint32Array(count);
const u32s = (buffer: ArrayBuffer | undefined) => [...new Uint32Array(buffer!)];
const upTo = (count: number, of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i) >>> 0);

describe.each(modes)('%s: control flow', (mode) => {
  const run = (body: string, count = 16, size = 8, declarations = '') => {
    const wgsl = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
      ${declarations}
      @compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) id: vec3u,
        @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) { let i = id.x; ${body} }`;
    const [result] = execute(wgsl, { mode, groups: [Math.ceil(count / size), 1, 1], buffers: [out(count)] });
    return u32s(result);
  };

  it('takes branches', () => {
    expect(
      run('if (i % 3 == 0) { out[i] = 1; } else if (i % 3 == 1) { out[i] = i * 2; } else { out[i] = 7; }'),
    ).toEqual(upTo(16, (i) => [1, i * 2, 7][i % 3]!));
  });

  it('takes what both branches assign alike', () => {
    expect(run('var n = 3u; if (i % 3 == 0) { n = group.x; } else { n = group.x; } out[i] = n + 1;')).toEqual(
      upTo(16, (i) => Math.floor(i / 8) + 1),
    );
    const cases = 'switch (i) { case 1: { n = n * 3u + 5u; } case 3: { n = 5u; } default: { n = 5u; } }';
    expect(run(`var n = 0u; ${cases} out[i] = n;`)).toEqual(upTo(16, () => 5));
  });

  it('asks each invocation, also where the first and the last of four agree', () => {
    // An array that is indexed by what varies lives in memory, so that stores stay in the branch.
    const body = (test: string) =>
      `var own = array(7u, 8u); if (${test}) { own[0] = i * 3u / (i + 1u); } out[i] = own[group.y];`;
    const value = (i: number) => Math.floor((i * 3) / (i + 1));
    for (const at of [0, 1, 5, 6, 7, 10]) {
      expect(run(body(`i != ${at}u`))).toEqual(upTo(16, (i) => (i !== at ? value(i) : 7)));
      expect(run(body(`${at}u == i`))).toEqual(upTo(16, (i) => (i === at ? value(i) : 7)));
    }
  });

  it('loops with break and continue', () => {
    const body = `var sum = 0u;
      for (var k = 0u; k < 100u; k++) { if (k > i) { break; } if (k % 2 == 1) { continue; } sum += k; }
      out[i] = sum;`;
    expect(run(body)).toEqual(upTo(16, (i) => upTo(i + 1, (k) => (k % 2 ? 0 : k)).reduce((a, b) => a + b, 0)));
  });

  it('computes what a loop carries before it continues', () => {
    const wgsl = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @group(0) @binding(1) var<storage, read_write> words: array<u32>;
      @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
        var a = id.x; var b = 0u;
        for (var k = 0u; k < 4; k++) { a = words[k] * 3 + a; if (words[k] > 100) { continue; } b += a; }
        out[id.x] = a * 1000 + b;
      }`;
    const words = [1, 20, 300, 4];
    const [result] = execute(wgsl, { mode, buffers: [out(8), Uint32Array.from(words)] });
    const expected = (i: number) => {
      let [a, b] = [i, 0];
      for (const word of words) {
        a += word * 3;
        if (word <= 100) b += a;
      }
      return a * 1000 + b;
    };
    expect(u32s(result)).toEqual(upTo(8, expected));
  });

  it('leaves a loop by a variable', () => {
    const body = 'var done = false; var n = 0u; loop { if (done) { break; } n++; done = n > i; } out[i] = n;';
    expect(run(body)).toEqual(upTo(16, (i) => i + 1));
  });

  it('loops with continuing and break if', () => {
    const body = `var n = 0u; var twice = 0u;
      loop { let next = n + 1; if (n == 5) { continue; } twice += 2; continuing { n = next; break if n > i; } }
      out[i] = twice * 100 + n;`;
    expect(run(body)).toEqual(upTo(16, (i) => (i + 1 - (i >= 5 ? 1 : 0)) * 200 + i + 1));
  });

  it('returns from the middle of nested loops', () => {
    const declarations = `fn find(limit: u32) -> u32 {
      for (var a = 1u; a < 20u; a++) { for (var b = 1u; b <= a; b++) { if (a * b > limit) { return a * 100 + b; } } }
      return 0u;
    }`;
    const find = (limit: number) => {
      for (let a = 1; a < 20; a++) for (let b = 1; b <= a; b++) if (a * b > limit) return a * 100 + b;
      return 0;
    };
    expect(run('out[i] = find(i * 3);', 16, 8, declarations)).toEqual(upTo(16, (i) => find(i * 3)));
  });

  it('switches', () => {
    const body = `var x = 0u;
      switch (i % 5) { case 0, 3: { x = 10; } case 1 { x = 20; if (i > 6) { break; } x = 21; } default: { x = 30; } case 4: { } }
      out[i] = x;`;
    expect(run(body)).toEqual(upTo(16, (i) => [10, i > 6 ? 20 : 21, 30, 10, 0][i % 5]!));
  });

  it('swaps variables in a loop', () => {
    expect(
      run('var a = 0u; var b = 1u; for (var k = 0u; k < i; k++) { let t = a; a = b; b = t + b; } out[i] = a;'),
    ).toEqual(
      upTo(16, (i) => {
        let [a, b] = [0, 1];
        for (let k = 0; k < i; k++) [a, b] = [b, a + b];
        return a;
      }),
    );
  });

  it('evaluates the right side of && only where it must', () => {
    const declarations = `var<private> calls: u32; fn count(x: bool) -> bool { calls++; return x; }`;
    expect(
      run(
        'let x = i > 3 && count(i > 5); let y = i > 3 || count(true); out[i] = calls * 10 + u32(x) + u32(y);',
        16,
        8,
        declarations,
      ),
    ).toEqual(upTo(16, (i) => 10 + Number(i > 5) + 1));
  });

  it('indexes arrays of its own, out of bounds too', () => {
    const body = `var a = array<u32, 5>(1, 2, 3, 4, 5); a[i] = 50; var sum = 0u; for (var k = 0; k < 5; k++) { sum += a[k]; }
      out[i] = sum;`;
    expect(run(body)).toEqual(upTo(16, (i) => (i < 5 ? 15 - (i + 1) + 50 : 15)));
  });

  it('passes pointers', () => {
    const declarations = `struct Pair { a: u32, b: array<u32, 3> }
      fn bump(p: ptr<function, u32>, by: u32) { *p += by; }
      fn fill(p: ptr<function, Pair>, at: u32) { (*p).a = at; p.b[at % 3] = at; bump(&(*p).b[at % 3], 100); }`;
    const body =
      'var pair: Pair; fill(&pair, i); let q = &pair.b; bump(&(*q)[1], 1000); out[i] = pair.a + pair.b[0] * 2 + pair.b[1] * 3 + pair.b[2] * 5;';
    expect(run(body, 16, 8, declarations)).toEqual(
      upTo(16, (i) => {
        const b = [0, 1000, 0];
        b[i % 3]! += i + 100;
        return i + b[0]! * 2 + b[1]! * 3 + b[2]! * 5;
      }),
    );
  });

  it('sets components of vectors and columns of matrices', () => {
    const body = `var v = vec4u(1, 2, 3, 4); v[i % 4] = 9; v.y += 10; var m = mat2x2f(1, 2, 3, 4); m[i % 2] = vec2f(f32(v[i % 4]), 8);
      out[i] = v.x + v.y * 10 + v.z * 100 + v.w * 1000 + u32(m[0][0] + 100 * m[1].x);`;
    expect(run(body)).toEqual(
      upTo(16, (i) => {
        const v = [1, 2, 3, 4];
        v[i % 4] = 9;
        v[1]! += 10;
        const m = [1, 3];
        m[i % 2] = v[i % 4]!;
        return v[0]! + v[1]! * 10 + v[2]! * 100 + v[3]! * 1000 + m[0]! + 100 * m[1]!;
      }),
    );
  });
});

describe.each(modes)('%s: workgroups', (mode) => {
  const run = (wgsl: string, count: number, groups = 2, extra: ArrayBufferView[] = [], subgroupSize?: number) => {
    const text = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n${wgsl}`;
    const options = subgroupSize ? { subgroupSize } : {};
    return u32s(execute(text, { mode, groups: [groups, 1, 1], buffers: [out(count), ...extra], ...options })[0]);
  };

  it('shares memory, zeroed for each workgroup', () => {
    const wgsl = `var<workgroup> shared_sum: array<u32, 8>;
      @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        shared_sum[i] += i + 1;
        workgroupBarrier();
        out[group.x * 8 + i] = shared_sum[7 - i];
      }`;
    expect(run(wgsl, 16)).toEqual(upTo(16, (i) => 8 - (i % 8)));
  });

  it('reduces in a loop with barriers, values living across them', () => {
    const wgsl = `var<workgroup> sums: array<u32, 16>;
      fn sync(x: u32) -> u32 { workgroupBarrier(); return x + 1; }
      @compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        let own = i * i + group.x;
        var steps = 0u;
        var trail = i;
        sums[i] = own;
        for (var stride = 8u; stride > 0; stride /= 2) {
          steps = sync(steps);
          if (i < stride) { sums[i] += sums[i + stride]; trail = trail * 2 + stride; }
        }
        workgroupBarrier();
        out[group.x * 16 + i] = sums[0] * 1000 + own + steps * 100000000 + trail * 7;
      }`;
    const total = (group: number) => upTo(16, (i) => i * i + group).reduce((a, b) => a + b, 0);
    const trail = (i: number) => [8, 4, 2, 1].reduce((t, stride) => (i < stride ? t * 2 + stride : t), i);
    expect(run(wgsl, 32)).toEqual(
      upTo(32, (n) => {
        const [group, i] = [Math.floor(n / 16), n % 16];
        return total(group) * 1000 + i * i + group + 400000000 + trail(i) * 7;
      }),
    );
  });

  it('returns early where all do, with barriers after it', () => {
    const wgsl = `var<workgroup> x: array<u32, 8>;
      @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        out[group.x * 8 + i] = 5;
        if (group.x == 1) { return; }
        for (var k = 0u; ; k++) { if (k == group.x) { break; } if (k == 2) { out[group.x * 8 + i] = 6; return; } x[i] = k; workgroupBarrier(); }
        x[i] = i;
        workgroupBarrier();
        out[group.x * 8 + i] = x[(i + 1) % 8] + 10;
      }`;
    expect(run(wgsl, 32, 4)).toEqual(
      upTo(32, (n) => {
        const group = Math.floor(n / 8);
        if (group === 1) return 5;
        return group === 3 ? 6 : ((n + 1) % 8) + 10;
      }),
    );
  });

  it('lets some invocations return after the last barrier, and from called functions', () => {
    const wgsl = `var<workgroup> x: array<u32, 8>;
      fn f(i: u32) -> u32 { workgroupBarrier(); if (i > 3) { return x[0] + 1; } if (i == 2) { return 77; } return x[7]; }
      @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        x[i] = i + 1;
        let got = f(i);
        workgroupBarrier();
        x[i] = got;
        workgroupBarrier();
        if (i % 2 == 1) { return; }
        out[group.x * 8 + i] = x[7 - i];
      }`;
    const got = (i: number) => (i > 3 ? 2 : i === 2 ? 77 : 8);
    expect(run(wgsl, 16)).toEqual(upTo(16, (n) => (n % 2 ? 0 : got(7 - (n % 8)))));
  });

  it('loads uniformly from workgroup memory and decides by it', () => {
    const wgsl = `var<workgroup> limit: u32; var<workgroup> data: array<u32, 8>;
      @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        if (i == 3) { limit = group.x + 2; }
        let n = workgroupUniformLoad(&limit);
        var mine = 0u;
        for (var k = 0u; k < n; k++) { data[i] = i * k; workgroupBarrier(); mine += data[(i + 3) % 8]; workgroupBarrier(); }
        if (n == 2) { data[i] = 1; workgroupBarrier(); mine += 1000 * data[7 - i]; }
        out[group.x * 8 + i] = mine;
      }`;
    expect(run(wgsl, 16)).toEqual(
      upTo(16, (n) => {
        const [group, i] = [Math.floor(n / 8), n % 8];
        const sum = upTo(group + 2, (k) => ((i + 3) % 8) * k).reduce((a, b) => a + b, 0);
        return sum + (group === 0 ? 1000 : 0);
      }),
    );
  });

  it('keeps arrays and private variables of each invocation across barriers', () => {
    const wgsl = `var<private> p: u32 = 3; var<workgroup> w: array<u32, 12>;
      @compute @workgroup_size(6, 2) fn main(@builtin(local_invocation_index) i: u32, @builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
        var a: array<u32, 4>;
        for (var k = 0u; k < 4; k++) { a[k] = i * k; }
        p += i; w[i] = id.x * 10 + id.y;
        workgroupBarrier();
        a[i % 4] += w[11 - i];
        p *= 2;
        workgroupBarrier();
        out[group.x * 12 + i] = a[0] + a[1] * 2 + a[2] * 3 + a[3] * 4 + p * 1000;
      }`;
    expect(run(wgsl, 24)).toEqual(
      upTo(24, (n) => {
        const i = n % 12;
        const a = upTo(4, (k) => i * k);
        const j = 11 - i;
        a[i % 4]! += (j % 6) * 10 + Math.floor(j / 6);
        return a[0]! + a[1]! * 2 + a[2]! * 3 + a[3]! * 4 + (3 + i) * 2000;
      }),
    );
  });

  it('adds atomically', () => {
    const wgsl = `@group(0) @binding(1) var<storage, read_write> cells: array<atomic<i32>, 4>; var<workgroup> n: atomic<u32>;
      @compute @workgroup_size(10) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3u) {
        atomicAdd(&n, i); atomicMax(&cells[0], i32(i) - 20); atomicMin(&cells[1], -i32(i)); atomicOr(&cells[2], i32(1u << i));
        let swapped = atomicCompareExchangeWeak(&cells[3], 0, i32(i) + 1);
        if (swapped.exchanged) { atomicSub(&cells[i32(i) - 1], 5); }
        workgroupBarrier();
        out[group.x * 10 + i] = atomicLoad(&n);
      }`;
    const cells = new Int32Array([-100, 100, 0, 0]);
    const text = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n${wgsl}`;
    const results = execute(text, { mode, groups: [2, 1, 1], buffers: [out(20), cells] });
    expect(u32s(results[0])).toEqual(upTo(20, () => 45));
    expect([...new Int32Array(results[1]!)]).toEqual([-11, -9, 1023, 1]);
  });

  it('works in subgroups', () => {
    const wgsl = `enable subgroups;
      @group(0) @binding(0) var<storage, read_write> out: array<u32>;
      @compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32,
        @builtin(subgroup_size) size: u32) {
        let sum = subgroupAdd(i + 1);
        let before = subgroupExclusiveAdd(i);
        let top = subgroupMax(i32(i) * select(-1, 1, i % 2 == 0));
        let first = subgroupBroadcastFirst(i);
        let other = subgroupShuffleXor(vec2u(i, i * 2), 1u);
        let ballot = subgroupBallot(i % 3 == 0);
        let any = subgroupAny(i == 5);
        let elected = subgroupElect();
        out[i * 9] = sum; out[i * 9 + 1] = before; out[i * 9 + 2] = u32(top); out[i * 9 + 3] = first;
        out[i * 9 + 4] = other.x + other.y; out[i * 9 + 5] = ballot.x; out[i * 9 + 6] = u32(any) + 2 * u32(elected);
        out[i * 9 + 7] = quadSwapX(i); out[i * 9 + 8] = subgroupShuffleUp(i, 1u) + lane * 100 + size * 10000;
      }`;
    for (const size of mode === 'scalar' ? [4, 8, 32] : [4]) {
      const options = mode === 'scalar' ? { subgroupSize: size } : {};
      const got = u32s(execute(wgsl, { mode, buffers: [out(16 * 9)], ...options })[0]);
      const expected = upTo(16, (i) => i).flatMap((i) => {
        const start = i - (i % size);
        const all = upTo(Math.min(size, 16), (k) => start + k);
        const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
        return [
          sum(all.map((k) => k + 1)),
          sum(all.filter((k) => k < i)),
          Math.max(...all.map((k) => k * (k % 2 ? -1 : 1))) >>> 0,
          start,
          (i ^ 1) * 3,
          all.reduce((bits, k) => bits | (k % 3 ? 0 : 1 << (k - start)), 0) >>> 0,
          Number(all.includes(5)) + 2 * Number(i === start),
          i ^ 1,
          (i === start ? i : i - 1) + (i - start) * 100 + size * 10000,
        ];
      });
      expect(got).toEqual(expected);
    }
  });
});
