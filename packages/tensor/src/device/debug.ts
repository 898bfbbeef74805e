// Where a number stopped being finite. Under device.debug the results of each graph are looked at on the host; if one
// holds a NaN or an infinity, the graph runs again node by node, unfused, up to the first node that made one. Indices are
// checked, too.
import { signatureOf } from '../compile/signature.js';
import { IndexError, NonFiniteError } from '../errors.js';
import { type HostArray, isFloat } from '../graph/dtype.js';
import { type Node, showType, type Type, topologicalOrder, type Value } from '../graph/node.js';
import { bufferLeaf, leafValue, operandLeaf } from '../ops/leaf.js';
import { apply } from '../tensor.js';
import type { Device } from './device.js';
import { type Storage, storageOf } from './storage.js';

/**
 * @param roots - the graph
 * @param leaves - the graph's leaves, and the value of each of them in this run
 * @param results - the memory of the roots
 * @throws NonFiniteError that names the op, with where it was called as `cause`
 */
export async function requireFinite(
  device: Device,
  roots: readonly Value[],
  leaves: ReadonlyMap<Value, Value>,
  results: readonly Storage[],
): Promise<void> {
  const bad: Value[] = [];
  for (const [i, root] of roots.entries()) {
    const value = standIn(root, results[i]);
    if (await nonFinite(device, value)) bad.push(root);
  }
  if (bad.length > 0) throw await originOf(device, bad, leaves);
}

/**
 * @param roots - the graph
 * @param leaves - the graph's leaves, and the leaf to use for each of them in this run
 * @throws IndexError for the first op with an index beyond what it points into, with where it was called as `cause`
 */
export async function requireIndices(
  device: Device,
  roots: readonly Value[],
  leaves: ReadonlyMap<Value, Value>,
): Promise<void> {
  for (const node of topologicalOrder(roots)) {
    const uses = node.op.indices?.(node.inputs, node.attributes);
    if (!uses) continue;
    const { input, below } = uses;
    const elements = await elementsOf(device, node.inputs[input]!, leaves);
    const at = elements.findIndex((index) => index >= below);
    if (at < 0) continue;
    const shapes = node.inputs.map(showType).join(', ');
    throw new IndexError(
      node.op.name,
      `index ${at} is ${elements[at]}, and there are ${below} places from 0 (${shapes}). Check the indices where they are made.`,
      { cause: node.calledAt },
    );
  }
}

async function elementsOf(device: Device, value: Value, leaves: ReadonlyMap<Value, Value>): Promise<HostArray> {
  const given = leaves.get(value) ?? value;
  if (given.operand) return given.operand;
  if (given.storage) return device.download(given);
  const signature = signatureOf([value]);
  const used = signature.leaves.map((leaf) => leaves.get(leaf) ?? leaf);
  const [storage] = await device.executePlain(signature, [value], used);
  try {
    return await device.download(standIn(value, storage));
  } finally {
    storage!.end();
  }
}

interface Found {
  readonly index: number;
  readonly element: number;
}

async function originOf(device: Device, roots: readonly Value[], leaves: ReadonlyMap<Value, Value>): Promise<Error> {
  const known = new Map<Value, { value: Value; found: Found | undefined }>();
  const made: Storage[] = [];
  // Infinities may be meant, as in a mask: then it is the first NaN that nobody brought, or else what came in.
  let birth: Error | undefined;
  let brought: Error | undefined;
  try {
    for (const node of topologicalOrder(roots)) {
      if (node.op.kind === 'leaf') {
        const leaf = node.outputs[0]!;
        // Another call may have run a value meanwhile: then it is a leaf with memory of its own.
        const given = leaves.get(leaf) ?? leaf;
        const value = standIn(given, storageOf(given), given.operand);
        const found = await nonFinite(device, value);
        known.set(leaf, { value, found });
        if (found) brought ??= broughtIn(leaf, found);
        continue;
      }
      const inputs = node.inputs.map((input) => known.get(input)!);
      const values = inputs.map(({ value }) => value);
      const outputs = apply(node.op, values, node.attributes);
      const signature = signatureOf(outputs);
      const storages = await device.executePlain(signature, outputs, signature.leaves);
      made.push(...storages);
      for (const [i, output] of node.outputs.entries()) {
        const value = standIn(output, storages[i]);
        const found = await nonFinite(device, value);
        known.set(output, { value, found });
        if (!found || inputs.length === 0) continue;
        if (inputs.every((input) => !input.found)) return madeBy(node, found, 'all its inputs are finite');
        if (Number.isNaN(found.element) && inputs.every((input) => !Number.isNaN(input.found?.element)))
          birth ??= madeBy(node, found, 'no input holds a NaN, but an infinity');
      }
    }
  } finally {
    for (const storage of made) storage.end();
  }
  const fused = 'a result is not finite, but op by op it is: a sum in another order overflows.';
  return birth ?? brought ?? new NonFiniteError('debug', fused);
}

/** The first NaN, else the first infinity. */
async function nonFinite(device: Device, value: Value): Promise<Found | undefined> {
  if (!isFloat(value.dtype)) return undefined;
  const elements = value.operand ? new Float32Array(value.operand.buffer) : await device.download(value);
  const nan = elements.findIndex(Number.isNaN);
  const index = nan >= 0 ? nan : elements.findIndex((x) => !Number.isFinite(x));
  return index < 0 ? undefined : { index, element: elements[index]! };
}

/** A leaf with the same memory or words. It owns nothing: no finalizer watches it. */
function standIn(type: Type, storage: Storage | undefined, operand?: Uint32Array): Value {
  const value = leafValue(operand ? operandLeaf : bufferLeaf, type);
  value.storage = storage;
  value.operand = operand;
  return value;
}

function madeBy(node: Node, { index, element }: Found, inputs: string): Error {
  const shapes = node.inputs.map(showType).join(', ');
  return new NonFiniteError(
    node.op.name,
    `this op made the first non-finite number: element ${index} of its result ${showType(node.outputs[0]!)} is ${element}, and ${inputs} (${shapes}). Look at what goes into it.`,
    { cause: node.calledAt },
  );
}

function broughtIn(leaf: Value, { index, element }: Found): Error {
  const input = `an input of the graph, ${showType(leaf)}`;
  return new NonFiniteError('debug', `${input}, holds ${element} at element ${index}. Look at where it was made.`);
}
