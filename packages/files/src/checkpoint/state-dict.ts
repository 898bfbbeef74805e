// Which of the dictionaries in a PyTorch checkpoint are the weights: a training saves optimizers and averages with them.
import { PickleError, type PickleMap, PickleName, PickleNamespace, type PickleValue } from './pickle.js';

/** A storage of an archive: the entry `data/KEY`, whose numbers are of one type. */
export interface TorchStorage {
  readonly key: string;
  /** As safetensors calls it: F32, BF16, … */
  readonly dtype: string;
  readonly elements: number;
}

/** A tensor as it is pickled: a view of a storage. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** What pickles of PyTorch hold. */
export type TorchValue = PickleValue<TorchTensor | TorchStorage>;
type TorchMap = PickleMap<TorchTensor | TorchStorage>;

/** The types of storages that are read, by their names in `torch`. */
const storageTypes: Readonly<Record<string, string>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

const functions: readonly PickleName<TorchTensor | TorchStorage>[] = [
  new PickleName('torch._utils _rebuild_tensor_v2', ([storage, offset, shape, strides]) => {
    if (
      !isStorage(storage) ||
      !isCount(offset) ||
      !isCounts(shape) ||
      !isCounts(strides) ||
      shape.length !== strides.length
    ) {
      throw new PickleError('it describes a tensor that cannot be');
    }
    return new TorchTensor(storage, offset, shape, strides);
  }),
  new PickleName('torch._utils _rebuild_parameter', ([tensor]) => {
    if (tensor instanceof TorchTensor) return tensor;
    throw new PickleError('it describes a parameter that is no tensor');
  }),
  new PickleName('torch Size', ([shape]) => {
    if (isCounts(shape)) return shape;
    throw new PickleError('it describes a size that cannot be');
  }),
  new PickleName('collections OrderedDict', ([pairs = []]) => {
    if (!Array.isArray(pairs) || pairs.some((pair) => !Array.isArray(pair) || pair.length !== 2)) {
      throw new PickleError('it makes a dictionary of what are no pairs');
    }
    return new Map(pairs as [TorchValue, TorchValue][]);
  }),
  // The options of a training.
  new PickleName('argparse Namespace', () => new PickleNamespace<TorchTensor | TorchStorage>()),
];

/** The names that a checkpoint may use; every other one is refused. */
export const torchNames: ReadonlyMap<string, PickleName<TorchTensor | TorchStorage>> = new Map(
  [
    ...functions,
    ...Object.keys(storageTypes).map((name) => new PickleName<TorchTensor | TorchStorage>(`torch ${name}`)),
  ].map((name) => [name.name, name]),
);

/** A storage from what a checkpoint says of it: `('storage', type, key, device, elements)`. */
export function torchStorage(id: TorchValue): TorchStorage {
  const [kind, type, key, , elements] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleName ? storageTypes[type.name.replace('torch ', '')] : undefined;
  if (kind === 'storage' && dtype && typeof key === 'string' && isCount(elements)) return { key, dtype, elements };
  throw new PickleError('it refers to a storage that cannot be');
}

/** The weights of a checkpoint. */
export interface StateDictChoice {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Where they were in it: `ema`; left out: the checkpoint is nothing else. */
  readonly key?: string;
}

/** Names of averages of weights: `ema`, `model_ema`, `ema-0.999`, and not `schema`. */
export const averageName: RegExp = /(^|[._-])ema([._-]|$)/i;

/**
 * The dictionary of tensors that is wanted: the one named, else the checkpoint itself if it holds more tensors than any of its
 * dictionaries, else an average of weights (EMA), else the model.
 * @throws PickleError if there is none, or if it is not clear which
 */
export function chooseStateDict(root: TorchValue, key?: string): StateDictChoice {
  if (!(root instanceof Map)) throw new PickleError('it holds no dictionary of tensors');
  const dictionaries = new Map(
    [...root].flatMap(([name, value]): [string, Tensors][] => {
      if (typeof name !== 'string' || !(value instanceof Map)) return [];
      const tensors = averageName.test(name) ? mostTensors(value) : tensorsOf(value);
      return tensors.size > 0 ? [[name, tensors]] : [];
    }),
  );
  const names = [...dictionaries.keys()];
  if (key !== undefined) {
    const found = dictionaries.get(key);
    if (found) return { tensors: found, key };
    throw new PickleError(`it holds no tensors under ${JSON.stringify(key)}, but under ${listed(names)}`);
  }
  const own = tensorsOf(root);
  if (own.size > Math.max(0, ...[...dictionaries.values()].map(({ size }) => size))) return { tensors: own };
  const chosen =
    names.find((name) => averageName.test(name)) ??
    ['state_dict', 'model', 'module'].find((name) => dictionaries.has(name)) ??
    names[0];
  if (chosen === undefined) throw new PickleError('it holds no dictionary of tensors');
  return { tensors: dictionaries.get(chosen)!, key: chosen };
}

type Tensors = ReadonlyMap<string, TorchTensor>;

/** The tensors of a dictionary, or of the one in it that has more. */
function mostTensors(map: TorchMap): Tensors {
  const inner = [...map.values()].flatMap((value) => (value instanceof Map ? [tensorsOf(value)] : []));
  return inner.reduce((most, each) => (each.size > most.size ? each : most), tensorsOf(map));
}

function tensorsOf(map: TorchMap): Tensors {
  const found = new Map<string, TorchTensor>();
  for (const [name, value] of map) if (typeof name === 'string' && value instanceof TorchTensor) found.set(name, value);
  return found;
}

function listed(names: readonly string[]): string {
  return names.length === 0
    ? 'none'
    : names
        .slice(0, 8)
        .map((name) => JSON.stringify(name))
        .join(', ');
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'elements' in value;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
