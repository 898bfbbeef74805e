// PyTorch's checkpoints since 1.6: a zip archive with a pickle that says what there is, and an entry for each storage.
import { fileDTypes, type HostTensor } from '../safetensors/dtypes.js';
import { quote } from '../safetensors/header.js';
import type { FileSource } from '../stores/store.js';
import { type Block, type Checkpoint, streamBlocks } from './checkpoint.js';
import { fail } from './fail.js';
import { PickleError, readPickle } from './pickle.js';
import { chooseStateDict, type StateDictChoice, type TorchTensor, torchNames, torchStorage } from './state-dict.js';
import { entryBytes, readZipEntries, type ZipEntry } from './stored-zip.js';

/** Far more than the names and shapes of any network take. */
const maxPickleBytes = 64 * 2 ** 20;

/**
 * Opens a checkpoint that `torch.save` wrote. Its pickle is read as data: a name other than those of tensors and
 * dictionaries is refused, nothing is run.
 * @param key - which dictionary of a training's checkpoint is wanted; default its EMA, else its model
 * @throws CheckpointError if the archive, the pickle or a tensor is not sound
 */
export async function openTorch(source: FileSource, path: string, key?: string): Promise<Checkpoint> {
  const entries = await readZipEntries(source, path);
  const pickle = entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) return fail(path, 'it is a zip archive without data.pkl. Is it a checkpoint of PyTorch?');
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const order = byName.get(`${folder}byteorder`);
  if (order && order.sizeBytes < 100 && new TextDecoder().decode(await readEntry(source, path, order)) === 'big') {
    return fail(path, 'its numbers are big-endian, which is not read. Save it again on another machine.');
  }
  if (pickle.sizeBytes > maxPickleBytes)
    return fail(path, `its data.pkl has ${pickle.sizeBytes} bytes, more than is read (2²⁶).`);
  const choice = parse(path, await readEntry(source, path, pickle), key);
  const views = [...choice.tensors].map(([name, tensor]) =>
    viewOf(path, name, tensor, byName.get(`${folder}data/${tensor.storage.key}`)),
  );
  return {
    format: 'PyTorch',
    ...(choice.key !== undefined && { key: choice.key }),
    entries: views.map(({ name, tensor }) => ({ name, dtype: tensor.storage.dtype, shape: tensor.shape })),
    stream: (isWanted = () => true) =>
      streamBlocks(
        source,
        path,
        blocksOf(
          path,
          views.filter(({ name }) => isWanted(name)),
        ),
      ),
  };
}

function parse(path: string, bytes: Uint8Array, key: string | undefined): StateDictChoice {
  try {
    return chooseStateDict(readPickle(bytes, { names: torchNames, persistent: torchStorage }), key);
  } catch (cause) {
    if (!(cause instanceof PickleError)) throw cause;
    const fix = 'Save the weights alone, with torch.save(model.state_dict(), …).';
    return fail(path, `${cause.message}. ${fix}`, cause);
  }
}

async function readEntry(source: FileSource, path: string, entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await source.read(path, { offset: entry.offset, length: entry.end - entry.offset });
  return entryBytes(path, entry, bytes);
}

interface View {
  readonly name: string;
  readonly tensor: TorchTensor;
  readonly entry: ZipEntry;
}

/** A tensor that lies wholly in its storage, which has the size that it should have. */
function viewOf(path: string, name: string, tensor: TorchTensor, entry: ZipEntry | undefined): View {
  const { storage, shape, strides, offset } = tensor;
  const refuse = (what: string) => fail(path, `tensor ${quote(name)} ${what}`);
  if (!entry) return refuse(`has its numbers in data/${quote(storage.key)}, which is missing.`);
  const bytes = storage.elements * fileDTypes[storage.dtype]!.bytes;
  if (bytes !== entry.sizeBytes)
    return refuse(`needs ${bytes} bytes in data/${storage.key}, which has ${entry.sizeBytes}.`);
  if (shape.length > 64) return refuse(`has ${shape.length} axes.`);
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
  if (elements > storage.elements || (elements > 0 && last >= storage.elements)) {
    return refuse(`of shape [${shape.join(', ')}] does not lie within its storage of ${storage.elements} numbers.`);
  }
  return { name, tensor, entry };
}

/** A block for each storage: tensors that share one are decoded together. */
function blocksOf(path: string, views: readonly View[]): Block[] {
  const byEntry = new Map<ZipEntry, View[]>();
  for (const view of views) {
    const group = byEntry.get(view.entry);
    if (group) group.push(view);
    else byEntry.set(view.entry, [view]);
  }
  const blocks = [...byEntry].map(
    ([entry, group]): Block => ({
      offset: entry.offset,
      end: entry.end,
      *decode(bytes) {
        const stored = entryBytes(path, entry, bytes);
        for (const { name, tensor } of group) yield [name, decode(path, name, tensor, stored)];
      },
    }),
  );
  return blocks.sort((a, b) => a.offset - b.offset);
}

function decode(
  path: string,
  name: string,
  { storage, offset, shape, strides }: TorchTensor,
  stored: Uint8Array,
): HostTensor {
  const type = fileDTypes[storage.dtype]!;
  const elements = shape.reduce((product, size) => product * size, 1);
  const bytes = isRowMajor(shape, strides)
    ? stored.subarray(offset * type.bytes, (offset + elements) * type.bytes)
    : gather(stored, type.bytes, offset, shape, strides);
  const data = type.read(bytes);
  if (!data) return fail(path, `tensor ${quote(name)} has ${storage.dtype} values that do not fit ${type.host}.`);
  return { data, shape, dtype: type.host };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The elements of a transposed or otherwise strided view, in row-major order. */
function gather(
  stored: Uint8Array,
  width: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const out = new Uint8Array(shape.reduce((product, size) => product * size, width));
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < out.length; to += width) {
    for (let i = 0; i < width; i++) out[to + i] = stored[from * width + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
