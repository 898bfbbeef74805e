// The frozen parts of a model, each a folder: a codec, a text encoder. `prepare` encodes with them, `assemble` takes them along,
// and data remembers them by a hash.
import { encodeJson, type FileSource, type FileStore, parseJson, sha256, writeJson } from '@paris/files';
import {
  type Architecture,
  type Codec,
  findArchitecture,
  identityCodec,
  type LazyArchitecture,
  limits,
  type Network,
  readNetwork,
  type TextEncoder,
  weightLoader,
  wordList,
} from '@paris/model';
import { CheckpointError, type Device, type Tensor, type TreeOf } from '@paris/tensor';
import type { PartRecord } from '../data/encodings.js';
import { DataError } from '../errors.js';

/** Where a part is: `codec` or `text` of a model folder, or any folder of such files. */
export interface PartFolder {
  readonly store: FileSource;
  /** In the store: `codec`. */
  readonly folder: string;
}

/** A part with its weights on a device. */
export interface LoadedPart<N> {
  readonly device: Device;
  readonly record: PartRecord;
  readonly network: N;
  readonly params: TreeOf<Tensor>;
  /** Gives the weights' memory back. */
  release(): void;
}

/** Architectures by kind, in addition to those of `@paris/encoders`; yours win. */
export interface PartArchitectures {
  readonly codecs?: readonly Architecture<Codec>[] | undefined;
  readonly textEncoders?: readonly Architecture<TextEncoder>[] | undefined;
}

type Known<N> = readonly (Architecture<N> | LazyArchitecture<N>)[];
const autoencoder = () => import('@paris/encoders/autoencoder');

const kinds = {
  codec: {
    name: 'codec',
    known: ({ codecs = [] }: PartArchitectures): Known<Codec> => [
      ...codecs,
      identityCodec,
      { architecture: 'autoencoder-kl', load: async () => (await autoencoder()).autoencoderKL },
      { architecture: 'tiny-autoencoder', load: async () => (await autoencoder()).tinyAutoencoder },
    ],
    fix: 'Give a folder as codec/ of a model is, or your own as codecs.',
  },
  text: {
    name: 'text encoder',
    known: ({ textEncoders = [] }: PartArchitectures): Known<TextEncoder> => [
      ...textEncoders,
      wordList,
      { architecture: 'clip', load: async () => (await import('@paris/encoders/clip')).clip },
    ],
    fix: 'Give a folder as text/ of a model is, or your own as textEncoders.',
  },
} as const;

/** A model's codec from its folder. @throws CheckpointError for a folder that holds none, or weights that are not its own */
export function loadCodec(
  device: Device,
  part: PartFolder,
  architectures: PartArchitectures = {},
): Promise<LoadedPart<Codec>> {
  return loadPart(device, part, kinds.codec, kinds.codec.known(architectures));
}

/** A model's text encoder from its folder. @throws CheckpointError for a folder that holds none, or weights that are not its own */
export function loadTextEncoder(
  device: Device,
  part: PartFolder,
  architectures: PartArchitectures = {},
): Promise<LoadedPart<TextEncoder>> {
  return loadPart(device, part, kinds.text, kinds.text.known(architectures));
}

async function loadPart<N extends Network>(
  device: Device,
  { store, folder }: PartFolder,
  kind: { readonly name: string; readonly fix: string },
  known: Known<N>,
): Promise<LoadedPart<N>> {
  const { record } = await openPart({ store, folder }, kind, known);
  const read = await readNetwork(store, folder, known, kind.fix);
  const weights = weightLoader(device, store, 'f32');
  const params = await weights.load(read);
  return { device, record, network: read.network, params, release: () => weights.release() };
}

/** A part as files: what it is, and their names. */
interface PartFiles {
  readonly record: PartRecord;
  /** The contents of config.json, without the architecture. */
  readonly config: object;
  /** All but config.json. */
  readonly files: readonly string[];
}

/** What a part is, without loading it. The hash does not depend on where the folder is or how config.json is spaced. */
async function openPart<N>(
  { store, folder }: PartFolder,
  kind: { readonly name: string; readonly fix: string },
  known: Known<N>,
): Promise<PartFiles> {
  const origin = { tag: 'encode', path: `${folder}/config.json`, fix: kind.fix };
  if (!(await store.exists(origin.path))) {
    throw new CheckpointError('encode', `there is no ${kind.name} in ${folder}: config.json is missing. ${kind.fix}`);
  }
  const json = parseJson(await store.read(origin.path, undefined, { maxBytes: limits.configBytes }), origin);
  const found = findArchitecture(json, known, origin);
  const { architecture, companions = [] } = 'load' in found ? await found.load() : found;
  const { architecture: _, ...config } = json as { architecture?: unknown };
  const hashes: { [name: string]: string } = {};
  for (const name of [...companions, 'model.safetensors'].sort()) {
    const path = `${folder}/${name}`;
    if (await store.exists(path)) hashes[name] = await sha256(await store.read(path));
  }
  const digest = await sha256(encodeJson({ architecture, config, files: hashes }));
  return { record: { architecture, sha256: digest }, config, files: Object.keys(hashes) };
}

/**
 * Copies a part into a model, if it is the one that the data was encoded with.
 * @param which - `codec` or `text`, where it comes to be
 * @throws DataError if it is another one
 */
export async function copyPart(
  from: PartFolder,
  to: FileStore,
  which: 'codec' | 'text',
  wanted: PartRecord,
  architectures: PartArchitectures = {},
): Promise<void> {
  const { record, config, files } = await inspectPart(from, which, architectures);
  assertSamePart('assemble', which, record, wanted);
  await writeJson(to, `${which}/config.json`, { architecture: record.architecture, ...config });
  for (const name of files) await to.write(`${which}/${name}`, await from.store.read(`${from.folder}/${name}`));
}

/** What the part in a folder is. @throws CheckpointError if it holds none */
export async function partRecord(
  from: PartFolder,
  which: 'codec' | 'text',
  architectures: PartArchitectures = {},
): Promise<PartRecord> {
  return (await inspectPart(from, which, architectures)).record;
}

function inspectPart(from: PartFolder, which: 'codec' | 'text', own: PartArchitectures): Promise<PartFiles> {
  return which === 'codec'
    ? openPart(from, kinds.codec, kinds.codec.known(own))
    : openPart(from, kinds.text, kinds.text.known(own));
}

/**
 * @param fix - what to do, a sentence
 * @throws DataError unless it is the part that the data was encoded with
 */
export function assertSamePart(
  tag: string,
  which: 'codec' | 'text',
  given: PartRecord,
  wanted: PartRecord,
  fix: string = `Give the folder that prepare had as --${which}.`,
): void {
  if (given.sha256 === wanted.sha256) return;
  const { name } = kinds[which];
  const [is, was] = [given, wanted].map(({ architecture, sha256 }) => `${architecture} ${sha256.slice(0, 8)}…`);
  const what = `the ${name} (${is}) is not the one that the data was encoded with (${was})`;
  throw new DataError(tag, `${what}. ${fix}`);
}
