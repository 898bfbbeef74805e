import type { ServerResponse } from 'node:http';
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

  describe('asks again', () => {
    type Answer = (response: ServerResponse) => void;
    const slowDown: Answer = (response) => {
      response.writeHead(503, { 'retry-after': '0' }).end('<Error><Code>SlowDown</Code></Error>');
    };
    const tooMany: Answer = (response) => void response.writeHead(429, { 'retry-after': '0' }).end();
    const broken: Answer = (response) => void response.writeHead(500).end('<Error><Code>InternalError</Code></Error>');
    const reset: Answer = (response) => void response.socket!.resetAndDestroy();
    const cut: Answer = (response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-4/14', 'content-length': 5 });
      response.write('byt', () => response.socket!.resetAndDestroy());
    };

    /** A bucket whose first answers are these. */
    async function failing(first: readonly Answer[], retries: S3Options['retries'] = { retryMs: 1 }) {
      const left = [...first];
      const bucket = serveBucket(objects, who);
      let requests = 0;
      const endpoint = await serve((request, response) => {
        requests += 1;
        const answer = left.shift();
        if (answer) answer(response);
        else bucket(request, response);
      });
      const store = s3Store('s3://pictures', { endpoint, region: who.region, credentials, retries });
      return { store, requests: () => requests };
    }

    it.each([
      ['SlowDown', [slowDown, slowDown]],
      ['429', [tooMany, tooMany]],
      ['500', [broken, broken]],
      ['a connection that is reset', [reset, reset]],
      ['all of these', [reset, slowDown, broken, tooMany]],
    ])('after %s, and reads and lists as if nothing had been', async (_, answers) => {
      const { store, requests } = await failing(answers);
      expect(await store.read('a.tar', { offset: 0, length: 5 })).toEqual(bytes('bytes'));
      expect(requests()).toBe(answers.length + 1);
      const listed = await failing(answers);
      expect(await listed.store.list('set/deep')).toEqual(['set/deep/4.tar']);
      expect(listed.requests()).toBe(answers.length + 1);
    });

    it('after a connection that broke in the middle of an answer', async () => {
      const { store, requests } = await failing([cut]);
      expect(await store.read('a.tar', { offset: 0, length: 5 })).toEqual(bytes('bytes'));
      expect(requests()).toBe(2);
    });

    it('when the server wants it, and no later', async () => {
      const { store } = await failing([slowDown, tooMany], { retryMs: 1e9, maxRetryMs: 1e9 }); // a test has no 11 days
      expect(await store.read('a.tar')).toEqual(bytes('bytes of a.tar'));
      const soon: Answer = (response) => void response.writeHead(503, { 'retry-after': '86400' }).end();
      const limited = await failing([soon], { maxRetryMs: 1 });
      expect(await limited.store.read('a.tar')).toEqual(bytes('bytes of a.tar'));
    });

    it('so often and no more, and says then what the server answered', async () => {
      const { store, requests } = await failing(new Array(9).fill(slowDown), { attempts: 3, retryMs: 1 });
      await expect(store.read('a.tar')).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: '[store] the server answered 503 to "a.tar". Check the address and access.',
      });
      expect(requests()).toBe(3);
    });

    it('not for what stays refused or gone, nor for a file that is another one by now', async () => {
      const refused = await failing([(response) => void response.writeHead(403).end()]);
      await expect(refused.store.read('a.tar')).rejects.toMatchObject({ code: 'STORE' });
      expect(refused.requests()).toBe(1);
      const other: Answer = (response) => {
        response.writeHead(206, { etag: '"other"', 'content-range': 'bytes 0-0/14' }).end('b');
      };
      const changed = await failing([other]);
      expect(await changed.store.size('a.tar')).toBe(14);
      await expect(changed.store.read('a.tar')).rejects.toThrow('changed on the server while it was read');
      expect(changed.requests()).toBe(2);
    });

    it('until it is told to stop', async () => {
      const stop = new AbortController();
      let requests = 0;
      const endpoint = await serve((_, response) => {
        requests += 1;
        response.writeHead(503).end();
        stop.abort(new Error('enough'));
      });
      const store = s3Store('s3://pictures', {
        endpoint,
        signal: stop.signal,
        retries: { retryMs: 1e9, maxRetryMs: 1e9 },
      });
      await expect(store.read('a.tar')).rejects.toThrow('enough');
      expect(requests).toBe(1);
    });
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
