// The commands of docs/from-an-existing-data-set.md, in their order, in a folder with a small data set, in front of a server and a
// bucket on loopback. What is different from the guide is what `small` and the addresses replace: numbers of steps and of channels,
// and where the server is.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serveBucket } from '@paris/test-tools/bucket-server';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { packTar } from 'modern-tar';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { bash, type Replacements, scriptOf, small, useGuideFolder } from './guide-script.js';

interface Picture {
  stem: string;
  bytes: Uint8Array;
  caption: string;
  label: number;
  licence: string;
}

const classes = ['cat', 'dog'];
const servers: ReturnType<typeof createServer>[] = [];
const folder = useGuideFolder();
afterAll(() => {
  for (const server of servers) server.close();
});

async function pictures(count: number): Promise<Picture[]> {
  const made: Picture[] = [];
  for (let i = 0; i < count; i++) {
    const label = i % 2;
    const background = { r: label ? 220 : 20 + 5 * i, g: (53 * i) % 256, b: label ? 30 : 200 };
    const edge = 18 + (i % 5);
    const picture = sharp({ create: { width: edge, height: 20, channels: 3, background } });
    made.push({
      stem: String(i).padStart(4, '0'),
      bytes: new Uint8Array(await picture.png().toBuffer()),
      caption: `${classes[label]} number ${i}`,
      label,
      licence: i % 3 === 2 ? 'unknown' : 'CC0-1.0',
    });
  }
  return made;
}

function shardOf(of: readonly Picture[]): Promise<Uint8Array> {
  const member = (name: string, content: string | Uint8Array) => {
    const body = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return { header: { name, size: body.length, type: 'file' as const }, body };
  };
  return packTar(
    of.flatMap(({ stem, bytes, caption, label, licence }) => [
      member(`${stem}.png`, bytes),
      member(`${stem}.txt`, caption),
      member(`${stem}.cls`, classes[label]!),
      member(`${stem}.json`, JSON.stringify({ license: licence })),
    ]),
  );
}

function tableOf(of: readonly Picture[]): Uint8Array {
  const features = { label: { names: classes, _type: 'ClassLabel' } };
  const columnData = [
    { name: 'image', data: of.map(({ bytes, stem }) => ({ bytes, path: `${stem}.png` })) },
    { name: 'description', data: of.map(({ caption }) => caption) },
    { name: 'label', data: of.map(({ label }) => label) },
    { name: 'rights', data: of.map(({ licence }) => licence) },
  ];
  const text = (name: string) =>
    ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' }) as const;
  return new Uint8Array(
    parquetWriteBuffer({
      columnData,
      schema: [
        { name: 'root', num_children: 4 },
        { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        text('path'),
        text('description'),
        { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
        text('rights'),
      ],
      kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    }),
  );
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('from an existing data set', async () => {
  const all = await pictures(48);
  const shards = [await shardOf(all.slice(0, 30)), await shardOf(all.slice(30))];
  await mkdir(join(folder.path, 'shards'));
  for (const [i, bytes] of shards.entries()) await writeFile(join(folder.path, 'shards', `00${i}.tar`), bytes);
  const table = tableOf(all);
  const server = await serve((request, response) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (request.url !== '/birds.parquet' || from === undefined) return void response.writeHead(404).end();
    const part = table.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${table.length}` });
    response.end(part);
  });
  const objects = new Map(shards.map((bytes, i) => [`birds/00${i}.tar`, bytes]));
  const keys = { accessKeyId: 'id', secretAccessKey: 'key' };
  const bucket = serveBucket(objects, { bucket: 'pictures', region: 'eu-west-1', pageSize: 9, ...keys });
  let requests = 0;
  const endpoint = await serve((request, response) => {
    if (requests++ % 5 === 0) return void response.writeHead(503, { 'retry-after': '0' }).end('SlowDown');
    bucket(request, response);
  });
  const replacements: Replacements = [...small, ['https://example.org', server]];
  await bash(await scriptOf('from-an-existing-data-set.md', replacements), folder.path, {
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_SESSION_TOKEN: '' },
    ...{ AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint },
  });

  const file = (...path: string[]) => readFile(join(folder.path, ...path));
  for (const name of ['manifest.json', 'images.safetensors']) {
    expect(await file('from-parquet', name), name).toEqual(await file('from-tar', name));
    expect(await file('from-s3', name), name).toEqual(await file('from-tar', name));
  }
  const manifest = async (of: string) => JSON.parse(String(await file(of, 'manifest.json')));
  expect((await manifest('from-tar')).count).toBe(48);
  expect((await manifest('one-shard')).count).toBe(30);
  expect((await manifest('free')).count).toBe(32); // two of three are free
  expect(await manifest('data')).toMatchObject({ count: 48, classes: { classes: 2, names: classes } });
  const index = JSON.parse(String(await file('my-model', 'model_index.json')));
  expect(JSON.stringify(index)).toContain('CC0-1.0');
  expect((await file('grid.png')).length).toBeGreaterThan(100);
  const skipped: { reason: string }[] = (await manifest('free')).skipped;
  expect(skipped.map(({ reason }) => reason)).toEqual(new Array(16).fill('licence unknown'));
}, 1_800_000);
