import { describe, expect, expectTypeOf, it } from 'vitest';
import { ValueError } from './errors.js';
import { flattenTree, type MapTree, mapTree, type TreeShape, treePaths, unflattenTree } from './tree.js';

class Leaf {
  constructor(readonly name: string) {}
}
interface Block {
  weight: Leaf;
  bias?: Leaf;
}
interface Params {
  layers: Block[];
  embed: Leaf;
  pair: [Leaf, Leaf];
}
const leaf = (name: string) => new Leaf(name);
const isLeaf = (value: unknown): value is Leaf => value instanceof Leaf;
const params = (count = 2): Params => ({
  layers: Array.from({ length: count }, (_, i) => ({ weight: leaf(`w${i}`), bias: leaf(`b${i}`) })),
  embed: leaf('e'),
  pair: [leaf('p0'), leaf('p1')],
});

describe('flattenTree', () => {
  it('orders by segment, whole numbers by value', () => {
    const paths = treePaths(params(11), isLeaf);
    expect(paths.slice(0, 3)).toEqual(['embed', 'layers.0.bias', 'layers.0.weight']);
    expect(paths.indexOf('layers.10.bias')).toBeGreaterThan(paths.indexOf('layers.9.weight'));
    expect(paths).toHaveLength(1 + 22 + 2);
  });

  it('gives a flat record of dotted keys the order of the nested tree, whatever the insertion order', () => {
    const entries = flattenTree(params(12), isLeaf);
    const shuffled = Object.fromEntries([...entries].reverse().map((entry) => [entry.path, entry.value]));
    expect(flattenTree(shuffled, isLeaf)).toEqual(entries);
  });

  it('skips absent fields and takes a lone leaf as a tree', () => {
    expect(treePaths({ a: leaf('a'), b: undefined }, isLeaf)).toEqual(['a']);
    expect(treePaths(leaf('x'), isLeaf)).toEqual(['']);
  });

  it('takes class instances, typed arrays and primitives as leaves by default', () => {
    const tree = { a: new Float32Array(2), b: [leaf('b'), 3, null], c: new Map() };
    expect(treePaths(tree)).toEqual(['a', 'b.0', 'b.1', 'b.2', 'c']);
  });

  it.each<[string, unknown, RegExp]>([
    ['a foreign value', { a: { b: 3 } }, /^\[tree\] "a\.b" is neither a leaf.*the number 3/],
    ['a foreign object', { a: new Map() }, /"a" is neither a leaf.*a Map object/],
    ['colliding paths', { 'a.b': leaf('1'), a: { b: leaf('2') } }, /two leaves share the path "a\.b"/],
    ['null', null, /the tree is neither a leaf.*null/],
  ])('refuses %s', (_, tree, message) => {
    expect(() => flattenTree(tree, isLeaf)).toThrow(ValueError);
    expect(() => flattenTree(tree, isLeaf)).toThrow(message);
  });

  it('refuses a cycle, but not a subtree used twice', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => flattenTree(cycle, isLeaf)).toThrow(/"self" contains itself/);
    const shared = { w: leaf('w') };
    expect(treePaths([shared, shared], isLeaf)).toEqual(['0.w', '1.w']);
  });
});

describe('mapTree', () => {
  it('keeps the structure, calls in canonical order, and types the result', () => {
    const seen: string[] = [];
    const tree = params(1);
    const mapped = mapTree(
      tree,
      (value: Leaf, path) => {
        seen.push(path);
        return value.name.length;
      },
      isLeaf,
    );
    expect(mapped).toEqual({ layers: [{ weight: 2, bias: 2 }], embed: 1, pair: [2, 2] });
    expect(seen).toEqual(treePaths(tree, isLeaf));
    expectTypeOf(mapped.layers[0]!.weight).toEqualTypeOf<number>();
    expectTypeOf(mapped.pair).toEqualTypeOf<[number, number]>();
    expectTypeOf<MapTree<Block, Leaf, number>['bias']>().toEqualTypeOf<number | undefined>();
  });

  it('leaves absent fields absent and does not touch its argument', () => {
    const tree = { a: leaf('a'), b: undefined };
    expect(mapTree(tree, () => 1, isLeaf)).toEqual({ a: 1, b: undefined });
    expect(tree.a).toBeInstanceOf(Leaf);
  });
});

describe('unflattenTree', () => {
  it('undoes flattenTree', () => {
    const tree = params(12);
    expect(unflattenTree(flattenTree(tree, isLeaf))).toEqual(tree);
    expect(unflattenTree([{ path: '', value: 1 }])).toBe(1);
  });

  it('makes arrays of 0 … n−1 only', () => {
    const entries = ['a.0', 'a.2', 'b.00', 'c.1', 'c.0'].map((path) => ({ path, value: path }));
    expect(unflattenTree(entries)).toEqual({ a: { 0: 'a.0', 2: 'a.2' }, b: { '00': 'b.00' }, c: ['c.0', 'c.1'] });
  });

  it('treats __proto__ as a mere key', () => {
    const tree = unflattenTree([{ path: '__proto__.polluted', value: 1 }]) as object;
    expect(Object.keys(tree)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([[['a', 'a']], [['a', 'a.b']], [['a.b', 'a']]])('refuses the paths %j', (paths) => {
    expect(() => unflattenTree(paths.map((path) => ({ path, value: 0 })))).toThrow(ValueError);
  });
});

it('TreeShape admits interfaces and refuses foreign leaves', () => {
  interface Model<P extends TreeShape<P, Leaf>> {
    init(): P;
  }
  expectTypeOf<Model<Params>>().not.toBeNever();
  interface Wrong {
    weight: Leaf;
    depth: number;
  }
  // @ts-expect-error a number is no leaf
  expectTypeOf<Model<Wrong>>().not.toBeNever();
});
