// What every FileSource and every FileStore must do, independent of a test runner: each case throws if the store does
// otherwise. A store of your own passes it by `for (const { name, run } of storeCases) test(name, () => run(make))`.
import { entriesOf, type FileSource, type FileStore } from './store.js';

/** Makes a store that holds exactly these files; called again for each case. */
export type Make<S extends FileSource> = (files: Record<string, Uint8Array | string>) => Promise<S>;

/** One promise of the interface. */
export interface Case<S extends FileSource> {
  readonly name: string;
  run(make: Make<S>): Promise<void>;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const some = { 'a/b/c.bin': bytes(0, 1, 2, 255, 4), 'a/empty': '', 'z.txt': 'zebra', 'ä ü/#?%.txt': 'näme' };
const outside = ['', '/z.txt', '../z.txt', 'a/../z.txt', './z.txt', 'a//b', 'a/', 'a\\b', 'C:/z.txt', 'z.txt\0', '..'];

/** Cases for all that can be read. */
export const sourceCases: readonly Case<FileSource>[] = [
  holds('reads whole files', async (store) => {
    same(await store.read('a/b/c.bin'), some['a/b/c.bin']);
    same(await store.read('a/empty'), bytes());
    same(await store.read('ä ü/#?%.txt'), new TextEncoder().encode('näme'));
  }),
  holds('reads spans', async (store) => {
    same(await store.read('a/b/c.bin', { offset: 1, length: 3 }), bytes(1, 2, 255));
    same(await store.read('a/b/c.bin', { offset: 0, length: 5 }), some['a/b/c.bin']);
    same(await store.read('a/b/c.bin', { offset: 4, length: 1 }), bytes(4));
    same(await store.read('a/b/c.bin', { offset: 5, length: 0 }), bytes());
    same(await store.read('a/empty', { offset: 0, length: 0 }), bytes());
  }),
  holds('refuses spans that are not inside the file', async (store) => {
    for (const [offset, length] of [
      [0, 6],
      [5, 1],
      [6, 0],
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [100, 5],
    ] as const) {
      await refuses('STORE', () => store.read('a/b/c.bin', { offset, length }));
    }
  }),
  holds('reads no whole file that is larger than its reader takes', async (store) => {
    same(await store.read('a/b/c.bin', undefined, { maxBytes: 5 }), some['a/b/c.bin']);
    await refuses('FILE_TOO_LARGE', () => store.read('a/b/c.bin', undefined, { maxBytes: 4 }), 'a/b/c.bin');
    same(await store.read('a/empty', undefined, { maxBytes: 0 }), bytes());
    same(await store.read('a/b/c.bin', { offset: 4, length: 1 }, { maxBytes: 5 }), bytes(4));
  }),
  holds('gives buffers of the caller’s own', async (store) => {
    const first = await store.read('a/b/c.bin');
    if (first.byteOffset !== 0) throw new Error('a buffer does not begin at its start: views of it may not fit');
    first.fill(9);
    same(await store.read('a/b/c.bin'), some['a/b/c.bin']);
  }),
  holds('tells sizes and what exists', async (store) => {
    equal(await store.size('a/b/c.bin'), 5);
    equal(await store.size('a/empty'), 0);
    equal(await store.exists('a/empty'), true);
    equal(await store.exists('z.txt'), true);
    for (const missing of ['a', 'a/b', 'nothing', 'z.txt/below']) equal(await store.exists(missing), false);
  }),
  holds('says which file is missing', async (store) => {
    for (const path of ['nothing', 'a/nothing']) {
      await refuses('FILE_NOT_FOUND', () => store.read(path), path);
      await refuses('FILE_NOT_FOUND', () => store.read(path, { offset: 0, length: 1 }), path);
      await refuses('FILE_NOT_FOUND', () => store.size(path), path);
    }
  }),
  holds('has no way out', async (store) => {
    for (const path of outside) {
      await refuses('FILE_ACCESS', () => store.read(path));
      await refuses('FILE_ACCESS', () => store.size(path));
      await refuses('FILE_ACCESS', () => store.exists(path));
    }
  }),
];

/** Cases for all that can be written to. */
export const storeCases: readonly Case<FileStore>[] = [
  ...sourceCases,
  holds('has no way out to write either', async (store) => {
    for (const path of outside) {
      await refuses('FILE_ACCESS', () => store.write(path, bytes(1)));
      await refuses('FILE_ACCESS', () => store.append(path, ''));
      await refuses('FILE_ACCESS', () => store.remove(path));
      await refuses('FILE_ACCESS', () => store.move(path, 'to'));
      await refuses('FILE_ACCESS', () => store.move('z.txt', path));
      if (path !== '') await refuses('FILE_ACCESS', () => store.list(path));
      if (path !== '') await refuses('FILE_ACCESS', () => store.lock(path));
    }
  }),
  holds('lists by code unit, all folders or one', async (store) => {
    equal(await store.list(), ['a/b/c.bin', 'a/empty', 'z.txt', 'ä ü/#?%.txt']);
    equal(await store.list('a'), ['a/b/c.bin', 'a/empty']);
    equal(await store.list('a/b'), ['a/b/c.bin']);
    equal(await store.list('z.txt'), ['z.txt']);
    equal(await store.list('nothing'), []);
  }),
  holds('writes new files, and over old ones', async (store) => {
    const content = bytes(7, 8);
    await store.write('new/deep/file', content);
    content.fill(0);
    same(await store.read('new/deep/file'), bytes(7, 8));
    await store.write('z.txt', bytes());
    equal(await store.size('z.txt'), 0);
    await store.write('z.txt', bytes(0, 1, 2, 3).subarray(1, 3));
    same(await store.read('z.txt'), bytes(1, 2));
    equal(await store.list(), ['a/b/c.bin', 'a/empty', 'new/deep/file', 'z.txt', 'ä ü/#?%.txt']);
  }),
  holds('writes a file part by part, and asks for one when the last is written', async (store) => {
    const asked: number[] = [];
    async function* parts() {
      for (let i = 0; i < 5; i++) {
        asked.push(i);
        yield bytes(i, i);
      }
    }
    await store.write('new/parts', parts());
    same(await store.read('new/parts'), bytes(0, 0, 1, 1, 2, 2, 3, 3, 4, 4));
    equal(asked, [0, 1, 2, 3, 4]);
    await store.write('z.txt', [bytes(1), bytes(), bytes(2, 3)]);
    same(await store.read('z.txt'), bytes(1, 2, 3));
  }),
  holds('keeps the old file if the parts of the new one end with an error', async (store) => {
    async function* parts() {
      yield bytes(1);
      throw new Error('no more');
    }
    for (const path of ['z.txt', 'new/parts']) {
      const said = await store.write(path, parts()).then(
        () => 'nothing',
        (error: Error) => error.message,
      );
      equal(said, 'no more');
    }
    same(await store.read('z.txt'), new TextEncoder().encode('zebra'));
    equal(await store.list(), ['a/b/c.bin', 'a/empty', 'z.txt', 'ä ü/#?%.txt']);
  }),
  holds('a file cannot be a folder', async (store) => {
    await refuses('STORE', () => store.write('z.txt/below', bytes(1)));
    await refuses('STORE', () => store.write('a/b', bytes(1)));
    same(await store.read('a/b/c.bin'), some['a/b/c.bin']);
  }),
  holds('many writers at once leave one whole file', async (store) => {
    const versions = Array.from({ length: 8 }, (_, i) => new Uint8Array(5000).fill(i));
    await Promise.all(versions.map((version) => store.write('busy', version)));
    const got = await store.read('busy');
    same(got, new Uint8Array(5000).fill(got[0]!));
    equal((await store.list()).length, 5);
  }),
  holds('appends', async (store) => {
    await store.append('log/metrics.jsonl', '{"ä":1}\n');
    await store.append('log/metrics.jsonl', '{"b":2}\n');
    equal(new TextDecoder().decode(await store.read('log/metrics.jsonl')), '{"ä":1}\n{"b":2}\n');
  }),
  holds('removes files and folders', async (store) => {
    await store.remove('a/empty');
    equal(await store.exists('a/empty'), false);
    await store.remove('a');
    await store.remove('a');
    await store.remove('nothing');
    await store.remove('z.txt/nothing'); // below a file, which stays
    equal(await store.exists('z.txt'), true);
    equal(await store.list(), ['z.txt', 'ä ü/#?%.txt']);
  }),
  holds('names what is directly in a folder', async (store) => {
    const names = async (folder: string) => (await entriesOf(store, folder)).sort();
    equal(await names(''), ['a/', 'z.txt', 'ä ü/']);
    equal(await names('a'), ['b/', 'empty']);
    equal(await names('a/empty'), []);
    equal(await names('nothing'), []);
    const lock = await store.lock('a');
    equal(await names('a'), ['b/', 'empty']);
    await lock.release();
  }),
  holds('keeps no folder without a file', async (store) => {
    await store.remove('a/b/c.bin');
    equal(await entriesOf(store, 'a'), ['empty']);
    await store.move('a/empty', 'moved');
    equal((await entriesOf(store)).sort(), ['moved', 'z.txt', 'ä ü/']);
  }),
  holds('says where a path is, if it says so at all', async (store) => {
    const ids = async (path: string) => (await store.ancestry?.(path)) ?? [];
    const [root, folder, file, missing] = await Promise.all(['', 'a/b', 'a/b/c.bin', 'a/new/deep'].map(ids));
    if (!store.ancestry) return;
    equal(folder!.slice(0, root!.length), root);
    equal(file!.slice(0, -1), folder);
    equal(missing!.length, root!.length + 3);
    equal(missing!.slice(0, root!.length + 1), folder!.slice(0, -1));
    await store.write('a/new/deep', bytes(1));
    equal((await ids('a/new/deep')).length, missing!.length);
    equal(new Set([root, folder, file, missing].map((all) => all!.at(-1))).size, 4);
  }),
  holds('moves files, also over others', async (store) => {
    await store.move('z.txt', 'new/z.txt');
    equal(await store.exists('z.txt'), false);
    await store.move('new/z.txt', 'a/empty');
    equal(new TextDecoder().decode(await store.read('a/empty')), 'zebra');
    await refuses('FILE_NOT_FOUND', () => store.move('nothing', 'x'));
    await refuses('STORE', () => store.move('a/b/c.bin', 'a/empty/c.bin')); // below a file
    equal(await store.exists('a/b/c.bin'), true);
    await store.move('a/empty', 'a/empty'); // to where it is
    equal(new TextDecoder().decode(await store.read('a/empty')), 'zebra');
  }),
  holds('moves folders, but over nothing', async (store) => {
    await store.move('a', 'old/a');
    equal(await store.list(), ['old/a/b/c.bin', 'old/a/empty', 'z.txt', 'ä ü/#?%.txt']);
    await store.write('a/new', bytes(1));
    await refuses('STORE', () => store.move('a', 'old/a'));
    await refuses('STORE', () => store.move('z.txt', 'old/a'));
    await refuses('STORE', () => store.move('old', 'old/inner'));
    equal((await store.list()).length, 5);
  }),
  holds('locks a folder once, until it is released', async (store) => {
    const lock = await store.lock('runs/one');
    await refuses('FILE_LOCKED', () => store.lock('runs/one'), 'runs/one');
    const other = await store.lock('runs/two');
    equal(await store.list('runs'), []);
    await lock.release();
    await lock.release();
    const again = await store.lock('runs/one');
    await again.release();
    await other.release();
  }),
];

function holds<S extends FileSource>(name: string, check: (store: S) => Promise<void>): Case<S> {
  return { name, run: async (make) => check(await make(some)) };
}

function equal(got: unknown, want: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`got ${a}, not ${b}`);
}

function same(got: Uint8Array, want: Uint8Array): void {
  equal([...got], [...want]);
}

async function refuses(code: string, work: () => Promise<unknown>, mention = ''): Promise<void> {
  let got: unknown;
  try {
    got = await work();
  } catch (error) {
    const { code: actual, message } = error as { code?: string; message: string };
    if (actual !== code) throw new Error(`expected an error with code ${code}, got ${actual}: ${message}`);
    if (!message.includes(mention)) throw new Error(`the message does not mention "${mention}": ${message}`);
    return;
  }
  throw new Error(`expected an error with code ${code}, got ${JSON.stringify(got)}`);
}
