import { ValueError } from '../errors.js';
import { joinBytes } from '../join-bytes.js';
import { comparePaths } from '../order.js';
import { type FileDType, fileDTypes, type HostDType, type HostTensor } from './dtypes.js';
import { quote } from './header.js';

/**
 * A safetensors file of these tensors. The same tensors give the same bytes: names are in the order of tree.ts, the
 * metadata in the order of its keys, and there is no time in it. The data begins at a multiple of 8 bytes.
 * @param tensors - by name: the path in a parameter tree, as `flattenTree` gives it
 * @throws ValueError if a shape or a dtype does not fit its data, or a name is reserved.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joinBytes([...safetensorsParts(tensors, metadata)]);
}

/**
 * The bytes of {@link writeSafetensors} part by part, without a copy of the whole: the header, then each tensor as it is asked
 * for. Parts may be views of the tensors' data.
 * @throws ValueError as {@link writeSafetensors}, before the first part
 */
export function* safetensorsParts(
  tensors: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array, void, undefined> {
  const header: [string, unknown][] = [];
  const meta = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (meta.length > 0) header.push(['__metadata__', Object.fromEntries(meta)]);
  const writers: (() => Uint8Array)[] = [];
  let end = 0;
  for (const [name, tensor] of Object.entries(tensors).sort(([a], [b]) => comparePaths(a, b))) {
    const [dtype, type] = fileDType(name, tensor);
    const sizeBytes = type.bytes * tensor.data.length;
    header.push([name, { dtype, shape: tensor.shape, data_offsets: [end, end + sizeBytes] }]);
    writers.push(() => type.write!(tensor.data));
    end += sizeBytes;
  }
  // Not one object: JSON.stringify would put names that are whole numbers first.
  const fields = header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const start = Math.ceil((8 + json.length) / 8) * 8;
  const head = new Uint8Array(start).fill(0x20, 8); // spaces at its end, as the format says
  new DataView(head.buffer).setBigUint64(0, BigInt(start - 8), true);
  head.set(json, 8);
  yield head;
  for (const write of writers) yield write();
}

function fileDType(name: string, { data, shape, dtype }: HostTensor): [string, FileDType] {
  if (name === '__metadata__') throw new ValueError('safetensors', 'a tensor cannot be named __metadata__. Rename it.');
  const tensor = `tensor ${quote(name)}`;
  const found = Object.entries(fileDTypes).find(([, type]) => type.host === dtype && type.write);
  if (!found) throw new ValueError('safetensors', `${tensor} has the dtype ${dtype}, which is not written.`);
  // Elements are written bit by bit: those of another type would become other numbers.
  const [kind, wanted] = [kindOf(data), hostArrays[dtype]];
  if (kind !== wanted) {
    const what = `${tensor} has the dtype ${dtype}, and its data is of type ${kind}`;
    throw new ValueError('safetensors', `${what}. Convert the data to ${wanted}, or name another dtype.`);
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== data.length || shape.some((size) => !Number.isInteger(size) || size < 0)) {
    const what = `${tensor} has the shape [${shape.join(', ')}], which is ${elements} elements`;
    throw new ValueError('safetensors', `${what}, but its data has ${data.length}.`);
  }
  return found;
}

const hostArrays: Readonly<Record<HostDType, string>> = {
  f32: 'Float32Array',
  f16: 'Float32Array',
  bf16: 'Float32Array',
  i32: 'Int32Array',
  u32: 'Uint32Array',
  u8: 'Uint8Array',
  bool: 'Uint32Array',
};

/** By its tag, not its class: arrays of another realm (a worker, a test's sandbox) are the same arrays. */
function kindOf(data: unknown): string {
  return Object.prototype.toString.call(data).slice(8, -1);
}
