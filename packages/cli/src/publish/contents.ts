// What is published of a model folder: the files that its index lists, each but the card with the bytes that it promises, the index,
// the card as it is in the folder now, and the pictures that it shows. Nothing else in the folder leaves it.
import { encodeJson, type FileSource, type FileStore, isPath, sha256 } from '@paris/files';
import { chunkBytes, indexPath, type ModelIndex, parseModelIndex, verifiedStore } from '@paris/model';
import {
  assembledCard,
  CARD_FILE,
  type CardEvaluation,
  DataError,
  modelCard,
  type RunRecord,
  readCardCondition,
} from '@paris/trainer';
import { namesOf, shownIn } from './shown.js';

/** A file to send. Without content it is the folder's. */
export interface PublishedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly content?: Uint8Array<ArrayBuffer>;
}

export interface Contents {
  readonly index: ModelIndex;
  readonly files: readonly PublishedFile[];
  readonly card: string;
}

/** What a card is made from if the folder has none. */
export interface CardSources {
  name: string;
  branch?: string | undefined;
  runs?: readonly RunRecord[] | undefined;
  evaluation?: CardEvaluation | undefined;
}

/**
 * @param onBytes - called as files are read to check them, with the bytes read and those of all files
 * @throws CheckpointError if the folder is no model, or a file is not what the index says; DataError if the card shows a picture that is
 *   not there
 */
export async function contentsOf(
  model: FileStore,
  sources: CardSources,
  onBytes: (done: number, total: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Contents> {
  const index = parseModelIndex(await model.read(indexPath));
  await check(model, index, onBytes, signal);
  const card = await cardOf(model, index, sources);
  const bytes = new TextEncoder().encode(card);
  const published = await withCard(index, bytes);
  const pictures = await shownPictures(model, card);
  return {
    index: published,
    card,
    files: [
      ...index.files.map(({ path, sizeBytes }) => ({ path, sizeBytes })).filter(({ path }) => path !== CARD_FILE),
      published === index
        ? { path: indexPath, sizeBytes: await model.size(indexPath) }
        : sent(indexPath, encodeJson(published)),
      ...pictures.filter(({ path }) => index.files.every((file) => file.path !== path)),
      sent(CARD_FILE, bytes),
    ],
  };
}

/** The index with the hash of the card that is sent; itself where it lists none, or this one. */
async function withCard(index: ModelIndex, card: Uint8Array<ArrayBuffer>): Promise<ModelIndex> {
  const hash = await sha256(card);
  const listed = index.files.find(({ path }) => path === CARD_FILE);
  if (!listed || listed.sha256 === hash) return index;
  const own = { path: CARD_FILE, sizeBytes: card.length, sha256: hash };
  return { ...index, files: index.files.map((file) => (file === listed ? own : file)) };
}

const sent = (path: string, content: Uint8Array<ArrayBuffer>): PublishedFile => ({
  path,
  sizeBytes: content.length,
  content,
});

async function check(
  model: FileSource,
  index: ModelIndex,
  onBytes: (done: number, total: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const verified = verifiedStore(model, index);
  const files = index.files.filter(({ path }) => path !== CARD_FILE); // the card may be edited, or taken out
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let done = 0;
  for (const { path, sizeBytes } of files) {
    for (let offset = 0; offset < sizeBytes; offset += chunkBytes) {
      signal?.throwIfAborted();
      const length = Math.min(chunkBytes, sizeBytes - offset);
      await verified.read(path, { offset, length });
      done += length;
      onBytes(done, total);
    }
  }
}

/**
 * The folder's own card, in front of which the hub's metadata are put if it has none. Where there is no card, or that which
 * `assemble` made of the index alone, a new one that says all that is known.
 */
async function cardOf(model: FileSource, index: ModelIndex, sources: CardSources): Promise<string> {
  const condition = await readCardCondition(model, index);
  const fresh = modelCard({ ...sources, index, condition });
  if (!(await model.exists(CARD_FILE))) return fresh;
  const own = new TextDecoder().decode(await model.read(CARD_FILE));
  if (own === assembledCard(index, condition)) return fresh;
  if (/^---\r?\n/.test(own)) return own;
  return `${fresh.slice(0, fresh.indexOf('\n---\n') + 5)}\n${own}`;
}

/** Pictures of the folder that the card shows: `![what](samples.png)`. @throws DataError for one that is not there */
async function shownPictures(model: FileSource, card: string): Promise<PublishedFile[]> {
  const found = new Map<string, PublishedFile>();
  for (const shown of shownIn(card)) {
    const path = await firstThere(model, namesOf(shown));
    if (path === undefined) {
      const where = `${CARD_FILE} shows ${JSON.stringify(shown)}, which is not in the model folder`;
      throw new DataError('publish', `${where}. Copy it there, or take it out of the card.`);
    }
    found.set(path, { path, sizeBytes: await model.size(path) });
  }
  return [...found.values()];
}

async function firstThere(model: FileSource, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (isPath(path) && (await model.exists(path))) return path;
  return undefined;
}
