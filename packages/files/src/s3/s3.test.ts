import { inspect } from 'node:util';
import { type BucketServer, serveBucket } from '@paris/test-tools/bucket-server';
import { describe, expect, it } from 'vitest';
import { testServers } from '../http/serve.testing.js';
import { s3Environment } from './environment.js';
import { pageOf } from './listing.js';
import { type S3Options, s3Store } from './store.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const who: BucketServer = {
  ...{ bucket: 'pictures', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret, sessionToken: 'to/ken+with=signs' },
  ...{ region: 'eu-central-1', pageSize: 3 },
};
const { accessKeyId, secretAccessKey, sessionToken } = who;
const credentials = { accessKeyId, secretAccessKey, sessionToken };
const objects = new Map(
  [
    'a.tar',
    "set/with space+plus & 'quotes' (1)!*.tar",
    'set/ünïcode/日本.parquet',
    'set/1.tar',
    'set/2.tar',
    'set/3.tar',
    'set/deep/4.tar',
    'set/folder/',
    'set//double.tar',
    'set/../up.tar',
    'settings.json',
  ].map((key) => [key, bytes(`bytes of ${key}`)]),
);

const { serve, stop } = testServers();

async function open(address = 's3://pictures/set', options: S3Options = {}, server = who) {
  const notes = { log: [] as string[], refused: [] as string[] };
  const endpoint = await serve(serveBucket(objects, server, notes));
  return { store: s3Store(address, { endpoint, region: who.region, credentials, ...options }), endpoint, ...notes };
}

describe('s3Store', () => {
  it('reads files whole and in spans, whatever their names, with signatures that the server computes, too', async () => {
    const { store, refused } = await open();
    for (const key of [...objects.keys()].filter((key) => /^set\/[^/.]/.test(key) && !key.endsWith('/'))) {
      const path = key.slice('set/'.length);
      const content = objects.get(key)!;
      expect(await store.read(path), key).toEqual(content);
      expect(await store.read(path, { offset: 3, length: 5 })).toEqual(content.slice(3, 8));
      expect(await store.size(path)).toBe(content.length);
      expect(await store.exists(path)).toBe(true);
    }
    expect(await store.exists('gone.tar')).toBe(false);
    await expect(store.read('gone.tar')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(store.read('../a.tar')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
    expect(refused).toEqual([]);
  });

  it('lists page after page, in order, what has a path', async () => {
    const { store, log, refused } = await open();
    const all = [
      '1.tar',
      '2.tar',
      '3.tar',
      'deep/4.tar',
      "with space+plus & 'quotes' (1)!*.tar",
      'ünïcode/日本.parquet',
    ];
    expect(await store.list()).toEqual(all);
    expect(log).toHaveLength(3); // nine keys, of which three are no paths
    expect(await store.list('deep')).toEqual(['deep/4.tar']);
    expect(await store.list('nothing')).toEqual([]);
    expect(refused).toEqual([]);
    const { store: bucket } = await open('s3://pictures');
    expect(await bucket.list()).toEqual(['a.tar', ...all.map((path) => `set/${path}`), 'settings.json']);
    await expect(store.list('../up')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
  });

  it('is not read for ever', async () => {
    const again = '<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>';
    const endpoint = await serve((_, response) => response.end(`<ListBucketResult>${again}</ListBucketResult>`));
    await expect(s3Store('s3://pictures', { endpoint }).list()).rejects.toThrow('does not end');
  });

  it('is refused with another key, and says so without showing one', async () => {
    const { store, refused } = await open('s3://pictures', {}, { ...who, secretAccessKey: 'another' });
    for (const reading of [() => store.read('a.tar'), () => store.list()]) {
      const error = await reading().catch((thrown) => thrown);
      expect(error.message).toMatch(/^\[(store|s3)\] the server answered 403 to /);
      expect(inspect(error, { depth: 9 })).not.toMatch(/AKIDEXAMPLE|wJalr|to\/ken|Signature=/);
    }
    expect(refused).toEqual(['another signature', 'another signature']);
  });

  it('signs nothing without keys', async () => {
    const headers: string[] = [];
    const endpoint = await serve((request, response) => {
      headers.push(...Object.keys(request.headers));
      response.end('public');
    });
    const store = s3Store('s3://pictures', { endpoint });
    expect(await store.read('a.tar')).toEqual(bytes('public'));
    expect(headers.filter((name) => /amz|authorization/.test(name))).toEqual([]);
  });

  it('sends no signature where a redirect leads', async () => {
    const seen: string[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(...Object.keys(request.headers));
      response.end('x');
    });
    const endpoint = await serve((_, response) => {
      response.writeHead(307, { location: `${elsewhere}/pictures/a.tar` }).end();
    });
    const store = s3Store('s3://pictures', { endpoint, credentials });
    await store.read('a.tar');
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter((name) => /amz|authorization/.test(name))).toEqual([]);
    await expect(store.list()).rejects.toThrow('the server answered 307 to a list of the bucket "pictures"');
  });

  it('says that nobody answers, and shows no key', async () => {
    const endpoint = await serve(() => undefined);
    await stop();
    const store = s3Store('s3://pictures', { endpoint, credentials });
    for (const reading of [() => store.read('a.tar'), () => store.list()]) {
      const error = await reading().catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(inspect(error, { depth: 9 })).not.toMatch(/AKIDEXAMPLE|wJalr|to\/ken|Signature=/);
    }
  });

  it('ends with the signal’s reason', async () => {
    const stop = new AbortController();
    const { store } = await open('s3://pictures', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(store.list()).rejects.toThrow('enough');
    await expect(store.read('a.tar')).rejects.toThrow('enough');
  });

  it('knows where AWS has buckets', async () => {
    const asked: string[] = [];
    const fetch = async (input: URL | RequestInfo) => {
      asked.push(String(input));
      return new Response('x');
    };
    await s3Store('s3://pictures/set/', { fetch }).read('1.tar');
    await s3Store('s3://my.pictures', { fetch, region: 'eu-west-3' }).read('a b.tar');
    expect(asked).toEqual([
      'https://pictures.s3.us-east-1.amazonaws.com/set/1.tar',
      'https://s3.eu-west-3.amazonaws.com/my.pictures/a%20b.tar',
    ]);
  });

  it.each([
    ['s3://', {}, '"s3://" is no address of S3. Write it as s3://bucket/folder.'],
    ['s3://Bucket', {}, 'is no address of S3'],
    ['s3://user:password@bucket/x', {}, '"s3://bucket/x" is no address of S3'],
    ['s3://pictures/a/../b', {}, 'is no address of S3'],
    ['s3://pictures', { endpoint: 'localhost:9000' }, 'is no endpoint. Write it as https://host'],
    ['s3://pictures', { endpoint: 'https://user:password@host' }, '"https://host" is no endpoint.'],
    ['s3://pictures', { region: 'x.evil.example/' }, 'is no region'],
    [
      's3://pictures',
      { credentials: { ...credentials, secretAccessKey: 'a b' } },
      'the secretAccessKey is empty or has',
    ],
    [
      's3://pictures',
      { credentials: { ...credentials, sessionToken: 'x\n' } },
      'the sessionToken is empty or has spaces',
    ],
  ])('refuses %s with %j', (address, options, message) => {
    expect(() => s3Store(address, options)).toThrow(message);
    expect(() => s3Store(address, options)).not.toThrow(/password|wJalr/);
  });
});

describe('a list', () => {
  const list = (inner: string) => pageOf(`<ListBucketResult>${inner}</ListBucketResult>`, 'b');

  it('of a server that does not encode keys is read, too', () => {
    const content = '<Contents><Key>a&amp;b &#233;&#xe9;</Key></Contents>';
    expect(list(`<IsTruncated>false</IsTruncated>${content}`)).toEqual({ keys: ['a&b éé'], next: undefined });
  });

  it.each([
    ['<html>sign in</html>', 'is none. Is this a server of S3?'],
    ['<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>', 'ends in the middle'],
    ['<ListBucketResult><Contents></Contents></ListBucketResult>', 'has an entry without a key'],
    [
      '<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></ListBucketResult>',
      'has a key that is not encoded',
    ],
  ])('%s is refused', (xml, message) => {
    expect(() => pageOf(xml, 'b')).toThrow(message);
  });
});

describe('s3Environment', () => {
  it('reads the usual variables', () => {
    const environment = {
      ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_SESSION_TOKEN: 'token' },
      ...{ AWS_DEFAULT_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'https://b', AWS_ENDPOINT_URL_S3: 'https://a' },
    };
    expect(s3Environment(environment)).toEqual({
      credentials: { accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'token' },
      region: 'eu-west-1',
      endpoint: 'https://a',
    });
    expect(s3Environment({ AWS_REGION: '' })).toEqual({});
  });

  it('misses half a pair, and shows no half', () => {
    const message = 'AWS_SECRET_ACCESS_KEY is not set, and the other key is. Set both, or none for a public bucket.';
    expect(() => s3Environment({ AWS_ACCESS_KEY_ID: 'hidden' })).toThrow(message);
    expect(() => s3Environment({ AWS_SECRET_ACCESS_KEY: 'hidden' })).not.toThrow(/hidden/);
  });
});
