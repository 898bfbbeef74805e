// Tar shards in WebDataset's form: the members of one sample follow each other and share their name up to the first dot.
import type { FileSource } from '@paris/files';
import type { ParsedTarEntry } from 'modern-tar';
import type { SkippedPicture } from '../../prepare/picture-source.js';
import { recordOf } from '../captions.js';
import { IMAGE_EXTENSIONS } from '../decode-image.js';
import { whyNotRead } from '../list-images.js';
import { byteStream, notWhole } from './bytes.js';
import type { EncodedPicture, EncodedSource } from './encoded-source.js';
import { type Columns, checkColumns, type PictureWords, wordFields, wordsOf } from './fields.js';

/** A larger picture is not decoded, larger words are not read: a member says its size before it is read. */
const mostBytes = { picture: 256 * 2 ** 20, words: 2 ** 20 };

/** What the members of a sample are called after the first dot, besides pictures. */
const wordMembers: ReadonlySet<string> = new Set(['txt', 'json', 'cls']);

/**
 * The pictures of a tar file, gzip or not, read as a stream: `jpg`, `png`, `webp` and the other formats, with their caption
 * (`txt`), class (`cls`) and other words (`json`). Pictures are named by their member.
 * @throws DataError if it is no tar file or ends too early, or if `columns` names what no `json` has
 */
export function webDataset(store: FileSource, path: string, columns?: Columns): EncodedSource {
  return { pictures: samples(store, path, columns) };
}

async function* samples(
  store: FileSource,
  path: string,
  columns: Columns | undefined,
): AsyncGenerator<EncodedPicture | SkippedPicture> {
  const names = new Set<string>();
  let sample: Sample | undefined;
  for await (const member of membersOf(store, path)) {
    if (sample && sample.key !== member.key) yield* sample.finish(columns, names);
    if (sample?.key !== member.key) sample = new Sample(member.key, path);
    sample.add(member);
  }
  if (!sample) return;
  yield* sample.finish(columns, names);
  checkColumns([...names], columns, wordFields);
}

interface Member {
  readonly name: string;
  /** The name up to the first dot after the last slash. */
  readonly key: string;
  /** The rest, in lower case: `jpg`. */
  readonly extension: string;
  /** Undefined for a member that is larger than is read, and for a picture that is not read at all. */
  readonly bytes: Uint8Array | undefined;
  /** Why a picture is not read. */
  readonly unread?: string | undefined;
}

async function* membersOf(store: FileSource, path: string): AsyncGenerator<Member> {
  const { createTarDecoder } = await import('modern-tar');
  const bytes = await byteStream(store, path);
  const packed = /\.(tgz|gz)$/i.test(path) ? bytes.pipeThrough(new DecompressionStream('gzip')) : bytes;
  try {
    // An entry's body must be read, or cancelled, before the next entry is asked for.
    for await (const entry of packed.pipeThrough(createTarDecoder({ strict: true }))) {
      const member = await memberOf(entry);
      if (member) yield member;
    }
  } catch (cause) {
    throw notWhole(path, 'tar', cause);
  }
}

async function memberOf({ header, body }: ParsedTarEntry): Promise<Member | undefined> {
  const name = header.name.replace(/^(\.\/)+/, '');
  const [, key, rest] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(name) ?? [];
  const extension = rest?.toLowerCase() ?? '';
  const isWords = wordMembers.has(extension);
  const isFile = header.type === 'file' || header.type === undefined;
  if (key === undefined || !isFile || !(isWords || IMAGE_EXTENSIONS.includes(`.${extension}`))) {
    await body.cancel();
    const unread = isFile && key !== undefined ? whyUnread(extension) : undefined;
    return unread === undefined ? undefined : { name, key: key!, extension, bytes: undefined, unread };
  }
  if (header.size > (isWords ? mostBytes.words : mostBytes.picture)) {
    await body.cancel();
    return { name, key, extension, bytes: undefined };
  }
  return { name, key, extension, bytes: new Uint8Array(await new Response(body).arrayBuffer()) };
}

/** Why a member is not read that looks like a picture. */
function whyUnread(extension: string): string | undefined {
  const dot = extension.lastIndexOf('.');
  const last = `.${extension.slice(dot + 1)}`;
  if (dot < 0 || !IMAGE_EXTENSIONS.includes(last)) return whyNotRead(last);
  return `"${extension}" is no member of a sample: names in a shard end at their first dot`;
}

class Sample {
  #picture: Member | undefined;
  readonly #words = new Map<string, string>();
  #reason: string | undefined;
  readonly #unread: SkippedPicture[] = [];

  constructor(
    readonly key: string,
    readonly shard: string,
  ) {}

  add(member: Member): void {
    const { name, extension, bytes, unread } = member;
    if (unread !== undefined) this.#unread.push({ file: name, reason: unread });
    else if (!wordMembers.has(extension)) {
      if (!this.#picture) this.#picture = member;
      else this.#reason ??= 'a sample with several pictures';
    } else if (bytes) this.#hear(extension, bytes);
    else this.#reason ??= `${extension} of more than ${mostBytes.words / 2 ** 20} MB`;
  }

  #hear(extension: string, bytes: Uint8Array): void {
    try {
      this.#words.set(extension, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      this.#reason ??= `${extension} that is not UTF-8`;
    }
  }

  /** The sample as a picture, or what of it is left out; adds the names of its columns to `names`. */
  *finish(columns: Columns | undefined, names: Set<string>): Generator<EncodedPicture | SkippedPicture> {
    // Beside a picture that is read, others are more of the sample: `0001.depth.png`.
    if (!this.#picture && this.#unread.length > 0) yield* this.#unread;
    else yield this.#pictureOf(columns, names);
  }

  #pictureOf(columns: Columns | undefined, names: Set<string>): EncodedPicture | SkippedPicture {
    const file = this.#picture?.name ?? this.key;
    if (!this.#picture) return { file, reason: 'a sample without a picture' };
    if (!this.#picture.bytes) return { file, reason: `a picture of more than ${mostBytes.picture / 2 ** 20} MB` };
    if (this.#reason) return { file, reason: this.#reason };
    return { file, data: this.#picture.bytes, words: this.#wordsIn(columns, names) };
  }

  #wordsIn(columns: Columns | undefined, names: Set<string>): PictureWords {
    const json = this.#words.get('json');
    const record =
      json === undefined ? {} : recordOf(json, `${this.shard}, ${this.key}.json`, 'Correct it, or leave it out.');
    for (const name of Object.keys(record)) names.add(name);
    const [caption, category] = ['txt', 'cls'].map((member) => this.#words.get(member)?.trim());
    // What has a member of its own is said by it.
    return { ...wordsOf(record, columns), ...(caption && { caption }), ...(category && { category }) };
  }
}
