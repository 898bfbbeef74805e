// Trees: parameters, optimizer states and batches are nested plain records and arrays whose leaves are tensors (or
// whatever the caller calls a leaf). Paths joined with dots are the keys of a safetensors file, and one order of
// those paths is shared by files, hashes and packed buffers.
import { comparePaths, compareSegments } from '@paris/files';
import { ValueError } from './errors.js';

/** A tree of leaves, as this module builds it. What a caller declares may be an interface: see {@link TreeShape}. */
export type TreeOf<Leaf> = Leaf | readonly TreeOf<Leaf>[] | { readonly [key: string]: TreeOf<Leaf> };

/**
 * The constraint for a caller's own tree type, which may be an interface (an interface has no index signature and so
 * is no `TreeOf`): `interface Expert<P extends TreeShape<P, Tensor>>`. Optional fields may be absent.
 */
export type TreeShape<P, Leaf> = { [K in keyof P]: Branch<P[K], Leaf> };
type Branch<V, Leaf> = V extends TreeOf<Leaf> | undefined ? V : V extends object ? TreeShape<V, Leaf> : Leaf;

/** `P` with each leaf replaced: what `mapTree` returns. Tuples, arrays and optional fields stay what they are. */
export type MapTree<P, Leaf, Out> = P extends Leaf
  ? Out
  : P extends undefined
    ? P
    : { -readonly [K in keyof P]: MapTree<P[K], Leaf, Out> };

/** A leaf and its path: `layers.0.attn.in_proj_weight`. The path of a tree that is itself a leaf is `''`. */
export interface TreeEntry<Leaf> {
  readonly path: string;
  readonly value: Leaf;
}

/** Tells a leaf from a branch. The default calls everything a leaf that is neither an array nor a plain record. */
export type IsLeaf<Leaf> = (value: unknown) => value is Leaf;

/**
 * The leaves of a tree in the canonical order (see {@link comparePaths}). Absent (`undefined`) fields are skipped.
 * @throws ValueError if a value is neither leaf nor branch, if two leaves have the same path, or on a cycle.
 */
export function flattenTree<Leaf>(tree: unknown, isLeaf?: IsLeaf<Leaf>): TreeEntry<Leaf>[] {
  const entries: TreeEntry<Leaf>[] = [];
  walk(tree, '', isLeaf ?? (isOpaque as IsLeaf<Leaf>), new Set(), (path, value) => entries.push({ path, value }));
  entries.sort((a, b) => comparePaths(a.path, b.path));
  for (let i = 1; i < entries.length; i++) {
    const path = entries[i]!.path;
    if (path === entries[i - 1]!.path) throw new ValueError('tree', `two leaves share the path "${path}". Rename one.`);
  }
  return entries;
}

/** The paths of a tree's leaves in the canonical order. */
export function treePaths(tree: unknown, isLeaf?: IsLeaf<unknown>): string[] {
  return flattenTree(tree, isLeaf).map((entry) => entry.path);
}

/**
 * The same tree with `fn(leaf, path)` in place of each leaf. `fn` is called in the canonical order.
 * @throws ValueError as {@link flattenTree} does.
 */
export function mapTree<P, Leaf, Out>(
  tree: P,
  fn: (value: Leaf, path: string) => Out,
  isLeaf: IsLeaf<Leaf> = isOpaque as IsLeaf<Leaf>,
): MapTree<P, Leaf, Out> {
  const results = new Map<string, Out>();
  for (const { path, value } of flattenTree(tree, isLeaf)) results.set(path, fn(value, path));
  const rebuild = (value: unknown, path: string): unknown => {
    if (isLeaf(value)) return results.get(path);
    if (value === undefined) return undefined;
    if (Array.isArray(value)) return value.map((child, i) => rebuild(child, join(path, String(i))));
    return Object.fromEntries(Object.entries(value as object).map(([k, child]) => [k, rebuild(child, join(path, k))]));
  };
  return rebuild(tree, '') as MapTree<P, Leaf, Out>;
}

/**
 * Nests entries by the segments of their paths. A node whose keys are exactly 0 … n−1 becomes an array. Empty records
 * and arrays leave no entry behind and so do not come back.
 * @throws ValueError if a path occurs twice, or is both a leaf and the beginning of another path.
 */
export function unflattenTree<Leaf>(entries: Iterable<TreeEntry<Leaf>>): TreeOf<Leaf> {
  const root: Node<Leaf> = new Map();
  for (const { path, value } of entries) {
    const segments = path.split('.');
    let node = root;
    for (const segment of segments.slice(0, -1)) {
      const next = node.get(segment) ?? new Map();
      if (!(next instanceof Map)) throw new ValueError('tree', `"${path}" runs through a leaf. Rename one of the two.`);
      node.set(segment, next);
      node = next;
    }
    const last = segments.at(-1)!;
    if (node.has(last)) throw new ValueError('tree', `"${path}" is there twice, or has paths below it. Rename one.`);
    node.set(last, { leaf: value });
  }
  const only = root.size === 1 ? root.get('') : undefined;
  return only !== undefined && !(only instanceof Map) ? only.leaf : build(root);
}

type Node<Leaf> = Map<string, Node<Leaf> | { readonly leaf: Leaf }>;

function walk<Leaf>(
  value: unknown,
  path: string,
  isLeaf: IsLeaf<Leaf>,
  ancestors: Set<unknown>,
  visit: (path: string, value: Leaf) => void,
): void {
  if (value === undefined) return;
  if (isLeaf(value)) {
    visit(path, value);
    return;
  }
  const where = path === '' ? 'the tree' : `"${path}"`;
  if (isOpaque(value)) {
    throw new ValueError('tree', `${where} is neither a leaf nor a plain record or array (got ${describe(value)}).`);
  }
  if (ancestors.has(value)) throw new ValueError('tree', `${where} contains itself. Remove the cycle.`);
  ancestors.add(value);
  for (const [key, child] of Object.entries(value as object)) walk(child, join(path, key), isLeaf, ancestors, visit);
  ancestors.delete(value);
}

function build<Leaf>(node: Node<Leaf>): TreeOf<Leaf> {
  const child = (key: string): TreeOf<Leaf> => {
    const value = node.get(key)!;
    return value instanceof Map ? build(value) : value.leaf;
  };
  const keys = [...node.keys()].sort(compareSegments);
  if (keys.length > 0 && keys.every((key, i) => key === String(i))) return keys.map(child);
  return Object.fromEntries(keys.map((key) => [key, child(key)])); // fromEntries defines: `__proto__` is a mere key
}

function isOpaque(value: unknown): value is unknown {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'foreign'} object`;
  return `the ${typeof value} ${String(value)}`;
}
