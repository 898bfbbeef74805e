// The same pictures from every kind of source; and archives that are not what they should be.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FileStore, memoryStore, UnavailableError } from '@paris/files';
import { serveBucket } from '@paris/test-tools/bucket-server';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { packTar, type TarEntry } from 'modern-tar';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mergeData } from '../../prepare/merge.js';
import { prepare } from '../prepare.js';
import { webDataset } from './webdataset.js';

interface Record_ {
  file: string;
  bytes: Uint8Array;
  caption: string;
  category: string;
  licence: string;
}

let folder: string;
const records: Record_[] = [];
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-sources-'));
  for (let i = 0; i < 12; i++) {
    const background = { r: (i * 53) % 256, g: 255 - i * 20, b: i * 7 };
    const picture = sharp({ create: { width: 9 + i, height: 12, channels: 3, background } });
    records.push({
      file: `${i % 3 === 0 ? 'more/' : ''}${String(i * 7).padStart(2, '0')}.${i % 2 ? 'png' : 'jpg'}`,
      bytes: new Uint8Array(await picture.toFormat(i % 2 ? 'png' : 'jpeg').toBuffer()),
      caption: `Number ${i}, "as" it is`,
      category: ['cat', 'dog'][i % 2]!,
      licence: 'CC0-1.0',
    });
  }
  for (const name of ['csv', 'jsonl', 'metadata', 'texts']) {
    for (const { file, bytes } of records) await write(at(name, file), bytes);
  }
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const rows = records.map((r) => [r.file, r.caption, r.category, r.licence].map(cell).join(';'));
  await write(at('list.csv'), ['file;caption;category;licence', ...rows].join('\n'));
  const lines = records.map(({ file, caption, category, licence }) =>
    JSON.stringify({ file_name: file, text: caption, label: category, license: licence }),
  );
  await write(at('list.jsonl'), lines.join('\n'));
  await write(at('metadata/metadata.jsonl'), lines.join('\n'));
  for (const { file, caption } of records) await write(at('texts', file.replace(/\.\w+$/, '.txt')), `${caption}\n`);
  await write(at('shards/0.tar'), await tar(records.slice(5)));
  await write(at('shards/1.tar.gz'), gzipSync(await tar(records.slice(0, 5))));
  await write(at('rows.parquet'), table(records));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

const member = (name: string, body: string | Uint8Array): TarEntry => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { header: { name, size: bytes.length, type: 'file' }, body: bytes };
};
const tar = (of: readonly Record_[]) =>
  packTar([
    { header: { name: 'more/', size: 0, type: 'directory' } },
    ...of.flatMap(({ file, bytes, caption, category, licence }) => {
      const key = file.replace(/\.\w+$/, '');
      const json = JSON.stringify({ license: licence, caption: 'another', width: 9 });
      return [
        member(`${key}.json`, json),
        member(file, bytes),
        member(`${key}.cls`, category),
        member(`${key}.txt`, caption),
      ];
    }),
  ]);

function table(of: readonly Record_[]): Uint8Array {
  const features = { label: { names: ['cat', 'dog'], _type: 'ClassLabel' }, image: { _type: 'Image' } };
  return new Uint8Array(
    parquetWriteBuffer({
      rowGroupSize: 5,
      columnData: [
        { name: 'image', data: of.map(({ file, bytes }) => ({ bytes, path: file })) },
        { name: 'text', data: of.map(({ caption }) => caption) },
        { name: 'label', data: of.map(({ category }) => (category === 'cat' ? 0 : 1)) },
        { name: 'license', data: of.map(({ licence }) => licence) },
      ],
      schema: [
        { name: 'root', num_children: 4 },
        { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
        { name: 'license', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      ],
      kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    }),
  );
}

const run = async ({ out = memoryStore(), ...options }: { out?: FileStore; [option: string]: unknown }) => {
  const report = await prepare({ source: '', size: 4, holdout: 0.25, nearCopies: false, out, ...options });
  return { ...report, files: [await out.read('manifest.json'), await out.read('images.safetensors')] };
};

it('name rows by as much of the path of their file as tells files apart', async () => {
  const unnamed = (of: readonly Record_[]) =>
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'image', data: of.map(({ bytes }) => bytes) }] }));
  for (const [folder, of] of Object.entries({ train: records.slice(0, 3), test: records.slice(3, 5) })) {
    await mkdir(at(`hub/${folder}`), { recursive: true });
    await write(at(`hub/${folder}/0000.parquet`), unnamed(of));
  }
  const files = ['train', 'test'].map((folder) => at(`hub/${folder}/0000.parquet`));
  const ids = async (source: readonly string[]) => {
    const { manifest } = await run({ source, holdout: 0 });
    expect(manifest.skipped).toEqual([]);
    return manifest.items!.map(({ id }) => id);
  };
  const names = ['test/0000/0', 'test/0000/1', 'train/0000/0', 'train/0000/1', 'train/0000/2'];
  expect(await ids(files)).toEqual(names);
  expect(await ids([at('hub')])).toEqual(names); // a folder of archives
  expect(await ids(files.slice(1))).toEqual(['0000/0', '0000/1']);
});

it('are one data folder, whichever way they are stored', async () => {
  const expected = await run({ source: at('csv'), captions: at('list.csv') });
  expect(expected.manifest.items).toHaveLength(12);
  expect(expected.manifest.items![0]).toMatchObject({ caption: 'Number 1, "as" it is', category: 'dog' });
  const ways = {
    'JSON lines': await run({ source: at('jsonl'), captions: at('list.jsonl') }),
    'metadata.jsonl': await run({ source: at('metadata') }),
    'WebDataset, two shards': await run({ source: [at('shards/0.tar'), at('shards/1.tar.gz')] }),
    'a folder of shards': await run({ source: at('shards') }),
    parquet: await run({ source: at('rows.parquet') }),
  };
  for (const [way, { files }] of Object.entries(ways)) expect(files, way).toEqual(expected.files);
  await copyFile(at('rows.parquet'), at('texts/rows.parquet'));
  const texts = await run({ source: at('texts') });
  expect(texts.archives).toEqual(['rows.parquet']);
  expect(texts.files[1]).toEqual(expected.files[1]);
  expect(texts.manifest.items).toEqual(expected.manifest.items!.map(({ category: _, licence: __, ...item }) => item));
});

it('have no caption where their row has an empty one, wherever the row is', async () => {
  const [{ bytes }] = records as [Record_];
  await write(at('empty/a.png'), bytes);
  await write(at('empty.csv'), 'file,caption\na.png,\n');
  await write(at('empty-caption.tar'), await packTar([member('a.png', bytes), member('a.json', '{"caption": ""}')]));
  const columnData = [
    { name: 'image', data: [bytes], type: 'BYTE_ARRAY' as const },
    { name: 'file', data: ['a.png'], type: 'STRING' as const },
    { name: 'caption', data: [null], type: 'STRING' as const },
  ];
  await write(at('empty.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
  const { manifest, files } = await run({ source: at('empty'), captions: at('empty.csv'), holdout: 0 });
  expect(manifest.items![0]!.caption).toBe('');
  const sources = ['empty-caption.tar', 'empty.parquet'].map((name) => at(name));
  for (const source of sources) expect((await run({ source, holdout: 0 })).files, source).toEqual(files);
});

it('are read from S3, the archives that are named or all below a prefix', async () => {
  const files = ['shards/0.tar', 'shards/1.tar.gz', 'rows.parquet', 'list.csv'];
  const objects = new Map(
    await Promise.all(files.map(async (file) => [`set/${file}`, await readFile(at(file))] as const)),
  );
  const keys = { accessKeyId: 'id', secretAccessKey: 'key' };
  const who = { bucket: 'pictures', region: 'eu-west-1', pageSize: 2, ...keys };
  const refused: string[] = [];
  const endpoint = await listen(createServer(serveBucket(objects, who, { refused })));
  const s3 = { endpoint, region: 'eu-west-1', credentials: keys };
  const expected = await run({ source: at('csv'), captions: at('list.csv') });
  for (const source of ['s3://pictures/set/shards', 's3://pictures/set/shards/', 's3://pictures/set/rows.parquet']) {
    expect((await run({ source, s3 })).files, source).toEqual(expected.files);
  }
  expect(refused).toEqual([]);
  const nothing = 'there is no .tar (.tar.gz, .tgz) or .parquet in s3://pictures/other. Check the address.';
  await expect(run({ source: 's3://pictures/other', s3 })).rejects.toThrow(nothing);
  const wrong = { ...s3, credentials: { ...keys, secretAccessKey: 'another' } };
  const refusal =
    'the server answered 403 to a list of the bucket "pictures". Check its name, the region and the keys.';
  await expect(run({ source: 's3://pictures/set', s3: wrong })).rejects.toThrow(refusal);
});

it('are read from a server in ranges', async () => {
  const server = createServer(async (request, response) => {
    const bytes = await readFile(at(request.url!.slice(1))).catch(() => undefined);
    if (!bytes) return void response.writeHead(404).end();
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    const range = `bytes ${from}-${to}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from), Number(to) + 1));
  });
  const origin = await listen(server);
  const expected = await run({ source: at('shards') });
  const sources = ['shards/0.tar', 'shards/1.tar.gz'].map((path) => `${origin}/${path}`);
  expect((await run({ source: sources })).files).toEqual(expected.files);
  expect((await run({ source: `${origin}/rows.parquet` })).files).toEqual(expected.files);
  await expect(run({ source: `${origin}/gone.tar` })).rejects.toThrow('gone.tar');
  server.close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('name what a sample or a row lacks, and take a name once', async () => {
  const [a, b, c] = records as [Record_, Record_, Record_];
  await write(
    at('odd.tar'),
    await packTar([
      member('b.png', b.bytes),
      member('b.npy', 'not read'),
      member('words.txt', 'of nothing'),
      member('two.png', b.bytes),
      member('two.jpg', a.bytes),
      member('torn.png', b.bytes.subarray(0, 60)),
      member('.hidden.png', b.bytes),
      member('./b.png', c.bytes),
      member('c.heic', b.bytes),
      member('IMG_2024.01.1.png', a.bytes),
      member('IMG_2024.01.1.txt', 'a dog'),
      member('IMG_2024.01.2.png', b.bytes),
      member('d.png', records[3]!.bytes),
      member('d.depth.png', a.bytes), // more of the same sample
      member('latin.png', a.bytes),
      member('latin.txt', Uint8Array.of(0x63, 0x61, 0x66, 0xe9)),
    ]),
  );
  const { manifest } = await run({ source: at('odd.tar'), holdout: 0 });
  expect(manifest.items!.map(({ id, caption }) => [id, caption])).toEqual([
    ['b.png', 'b'],
    ['d.png', 'd'],
  ]);
  const dotted = (rest: string) => `"${rest}" is no member of a sample: names in a shard end at their first dot`;
  expect(manifest.skipped).toEqual([
    { file: 'IMG_2024.01.1.png', reason: dotted('01.1.png') },
    { file: 'IMG_2024.01.2.png', reason: dotted('01.2.png') },
    { file: 'b.png', reason: 'another picture has this name' },
    { file: 'c.heic', reason: 'HEIC is not read; convert it to PNG or JPEG' },
    { file: 'latin.png', reason: 'txt that is not UTF-8' },
    { file: 'torn.png', reason: expect.stringContaining('pngload') },
    { file: 'two.png', reason: 'a sample with several pictures' },
    { file: 'words', reason: 'a sample without a picture' },
  ]);
});

it('take columns by the names that they are given', async () => {
  const bytes = records.map((record) => record.bytes);
  const captions = records.map(({ caption }) => caption);
  const file = parquetWriteBuffer({
    columnData: [
      { name: 'pixels', data: bytes, type: 'BYTE_ARRAY' },
      { name: 'about', data: captions, type: 'STRING' },
    ],
  });
  await write(at('own.parquet'), new Uint8Array(file));
  const read = await run({ source: at('own.parquet'), columns: { image: 'pixels', caption: 'About' }, holdout: 0 });
  expect(read.manifest.items!.map(({ id }) => id).sort()[0]).toBe('own/0');
  expect(read.manifest.items!.map(({ caption }) => caption).sort()).toEqual([...captions].sort());
  await expect(run({ source: at('own.parquet') })).rejects.toThrow(
    'own.parquet has no column of pictures (columns: pixels, about). Name it: --columns image=NAME.',
  );
  // Texts that are not marked as such are bytes.
  const unmarked = parquetWriteBuffer({
    columnData: [
      { name: 'image', data: bytes, type: 'BYTE_ARRAY' },
      { name: 'file', data: records.map(({ file }) => Buffer.from(file)), type: 'BYTE_ARRAY' },
      { name: 'text', data: captions.map((text) => Buffer.from(text)), type: 'BYTE_ARRAY' },
      { name: 'license', data: records.map(({ licence }) => Buffer.from(licence)), type: 'BYTE_ARRAY' },
    ],
  });
  await write(at('unmarked.parquet'), new Uint8Array(unmarked));
  const plain = await run({ source: at('unmarked.parquet') });
  const { manifest } = await run({ source: at('csv'), captions: at('list.csv') });
  expect(plain.manifest.items).toEqual(manifest.items!.map(({ category: _, ...item }) => item));
  const wrong = { source: at('shards'), columns: { caption: 'description' } };
  await expect(run(wrong)).rejects.toThrow('there is no column description for the caption: there are license,');
});

it('leave columns to the sources that have them, and refuse them where none has any', async () => {
  const [a, b, c] = records as [Record_, Record_, Record_];
  const words = JSON.stringify({ about: 'in a shard' });
  await write(at('named.tar'), await packTar([member('x.png', b.bytes), member('x.json', words)]));
  const columnData = [
    { name: 'pixels', data: [a.bytes], type: 'BYTE_ARRAY' as const },
    { name: 'about', data: ['in a table'], type: 'STRING' as const },
  ];
  await write(at('named.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
  await write(at('named/c.jpg'), c.bytes);
  await write(at('named/metadata.jsonl'), JSON.stringify({ file: 'c.jpg', about: 'in a line' }));
  const source = ['named.tar', 'named.parquet', 'named'].map((name) => at(name));
  const { manifest } = await run({ source, columns: { image: 'pixels', caption: 'about' }, holdout: 0 });
  expect(manifest.items!.map(({ caption }) => caption)).toEqual(['in a line', 'in a table', 'in a shard']);
  await expect(run({ source: at('texts'), columns: { caption: 'about' } })).rejects.toThrow(
    'there is no table that could have a column about: no captions file, metadata.jsonl or metadata.csv. Give it with',
  );
});

it.each(['0.tar', '1.tar.gz'])(
  'of a server that goes away say that, and not that a file is broken: %s',
  async (name) => {
    const shard = new Uint8Array(await readFile(at('shards', name)));
    const store = memoryStore();
    await store.write(name, shard);
    const lost = new UnavailableError('store', 'the connection broke.');
    const read = async () => Promise.reject(lost);
    const pictures = webDataset({ ...store, read }, name).pictures[Symbol.asyncIterator]();
    await expect(pictures.next()).rejects.toBe(lost);
  },
);

it('refuse what is not whole, in a sentence that names it', async () => {
  const whole = await readFile(at('shards/0.tar'));
  await write(at('cut.tar'), whole.subarray(0, 2000));
  await write(at('text.tar'), 'this is no archive'.repeat(100));
  await write(at('cut.parquet'), (await readFile(at('rows.parquet'))).subarray(0, 900));
  await write(at('empty.tar'), '');
  await write(at('broken.tar'), await packTar([member('a.png', records[0]!.bytes), member('a.json', '{"x": ')]));
  for (const file of ['cut.tar', 'text.tar', 'empty.tar']) {
    await expect(run({ source: at(file) }), file).rejects.toThrow(`${file} is not a whole tar file: `);
  }
  await expect(run({ source: at('cut.parquet') })).rejects.toThrow('cut.parquet is not a whole parquet file: ');
  await expect(run({ source: at('broken.tar') })).rejects.toThrow(
    'broken.tar, a.json is not a JSON object. Correct it,',
  );
  await expect(run({ source: at('list.csv') })).rejects.toThrow('list.csv is not a folder, a .tar');
  await expect(run({ source: at('shards/0.tar'), captions: at('list.csv') })).rejects.toThrow(
    'a captions file is for a folder of pictures, and ',
  );
  await expect(run({ source: at('gone') })).rejects.toThrow('gone is not a folder');
});

it('skip what does not pass the filter, with the reason', async () => {
  const lines = records.map(({ file }, i) =>
    JSON.stringify({
      file,
      text: i > 7 ? 'x' : '',
      license: ['cc0-1.0', 'MIT', ''][i % 3],
      score: i === 9 ? 'good' : i,
    }),
  );
  await write(at('scored.jsonl'), lines.join('\n'));
  const filtered = async (filter: object) => {
    const options = { source: at('jsonl'), captions: at('scored.jsonl'), holdout: 0, filter };
    const { manifest } = await run(options);
    return { count: manifest.count, reasons: [...new Set(manifest.skipped.map(({ reason }) => reason))] };
  };
  const licences = ['CC0-1.0', 'CC-BY-4.0'];
  expect(await filtered({ licences })).toEqual({ count: 4, reasons: ['licence MIT', 'no licence'] });
  const reasons = ['a score below 6', 'score good, which is no number'];
  expect(await filtered({ minScore: 6 })).toEqual({ count: 5, reasons: expect.arrayContaining(reasons) });
  const empty = ['no caption, which --text encodes'];
  expect(await filtered({ needs: ['caption'] })).toEqual({ count: 4, reasons: empty });
  // Pictures are 9 to 20 pixels wide and 12 high.
  expect(await filtered({ minSide: 12 })).toEqual({ count: 9, reasons: ['an edge of fewer than 12 pixels'] });
  const long = 'one edge more than 1.5 times as long as the other';
  expect(await filtered({ maxAspect: 1.5 })).toEqual({ count: 10, reasons: [long] });
});

it.each([{}, { vocabulary: ['<pad>', '<unk>', 'zebra', 'number'] }])(
  'in parts merge to the bytes of one: %j',
  async (given) => {
    const whole = { source: [at('shards/0.tar'), at('rows.parquet')], nearCopies: true, ...given };
    const expected = await run(whole);
    const parts = await Promise.all(
      [1, 2, 3].map(async (index) => {
        const out = memoryStore();
        return { out, ...(await run({ ...whole, out, holdout: 0, shard: { index, count: 3 } })) };
      }),
    );
    expect(parts.map(({ manifest }) => manifest.count).reduce((sum, n) => sum + n)).toBe(12);
    for (const { manifest } of parts) expect(manifest.count).toBeLessThan(12);
    const out = memoryStore();
    const data = parts.map((part) => part.out).reverse();
    await mergeData({ data, out, holdout: 0.25 });
    expect([await out.read('manifest.json'), await out.read('images.safetensors')]).toEqual(expected.files);
    await expect(run({ ...whole, shard: { index: 0, count: 3 } })).rejects.toThrow('there is no part 0 of 3.');

    const large = memoryStore();
    await run({ ...whole, size: 8, out: large });
    const mixed = { data: [data[0]!, large], out: memoryStore() };
    await expect(mergeData(mixed)).rejects.toThrow(
      'the pictures of data folder 2 have 8 pixels, those of folder 1 have 4. Prepare them with one size.',
    );
    await expect(mergeData({ data: [], out: memoryStore() })).rejects.toThrow('there is no data folder.');
    await expect(mergeData({ data, out: data[0]! })).rejects.toThrow('the output folder is data folder 1');
  },
);

it('are prepared in parts of which one has no picture for training, or none at all', async () => {
  const whole = { source: at('rows.parquet'), holdout: 0.5 };
  const data: FileStore[] = [];
  for (let index = 1; index <= 24; index++) {
    const out = memoryStore();
    const error = await run({ ...whole, out, shard: { index, count: 24 } }).then(() => undefined, String);
    if (error === undefined) data.push(out);
    else expect(error).toBe('DataError: [prepare] this part has no picture. Merge the others without it.');
  }
  const out = memoryStore();
  await mergeData({ data, out, holdout: 0.5, nearCopies: false });
  expect(await out.read('manifest.json')).toEqual((await run(whole)).files[0]);
});

it('keep a source once only, however often it is given', async () => {
  await copyFile(at('shards/0.tar'), at('again.tar'));
  const { manifest } = await run({ source: [at('shards/0.tar'), at('again.tar')], holdout: 0 });
  expect(manifest.items).toHaveLength(7);
  expect(new Set(manifest.skipped.map(({ reason }) => reason))).toEqual(new Set(['another picture has this name']));
});
