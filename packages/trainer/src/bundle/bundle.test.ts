// A job goes to a stranger and a result comes back: signed, complete, and read only when the signature is known to be good.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCluster, writeCluster } from '../data/files.js';
import { DataError } from '../errors.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { verifyRun } from '../verify/verify.js';
import { createJobBundle, openJob, trainJob } from './job.js';
import { createKeys, isSignedBy, type Keys, publicKeyOf, sign } from './keys.js';
import { acceptResult, assertAnswers, createResultBundle, openResult } from './result.js';
import { openSealed, seal } from './sealed.js';
import { assertTrusted, parseTrustList } from './trust.js';

let device: Device;
let ada: Keys;
let bob: Keys;
let job: Uint8Array;
const data = memoryStore();
const options = { data, cluster: 1, architecture: dit, config: ditConfig(toySize), training: toyTraining };
beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  [ada, bob] = [await createKeys(), await createKeys()];
  await writeToyData(data);
  job = await createJobBundle({ ...options, proveEvery: 3, maxHours: 2, secretKey: ada.secretKey });
});
afterAll(() => device.close());

const text = (value: string) => new TextEncoder().encode(value);

/** The same bundle with one byte changed. */
function flipped(file: Uint8Array, at: number): Uint8Array {
  const changed = file.slice();
  changed[at]! ^= 1;
  return changed;
}

describe('keys', () => {
  it('sign what their owner signs: the test vector of RFC 8032 §7.1, test 2', async () => {
    const hex = (value: string) => Uint8Array.from(value.match(/../g)!, (pair) => Number.parseInt(pair, 16));
    const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    const pkcs8 = Buffer.concat([hex('302e020100300506032b657004220420'), seed]).toString('base64url');
    const secret = `paris-secret-key:${pkcs8}`;
    const publicKey = await publicKeyOf(secret);
    expect(publicKey).toBe(
      `paris-key:${Buffer.from(hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')).toString('base64url')}`,
    );
    const signature = await sign(Uint8Array.of(0x72), secret);
    expect(Buffer.from(signature).toString('hex')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    expect(await isSignedBy(publicKey, Uint8Array.of(0x72), new Uint8Array(signature))).toBe(true);
    expect(await isSignedBy(publicKey, Uint8Array.of(0x73), new Uint8Array(signature))).toBe(false);
  });

  it.each(['', 'paris-key:', 'paris-key:AAAA', 'ada', 'paris-secret-key:!!'])(
    'refuse %j and show no secret',
    async (key) => {
      await expect(publicKeyOf(key)).rejects.toThrow(DataError);
      await expect(isSignedBy(key, text('x'), new Uint8Array(64))).rejects.toThrow('this is no public key');
    },
  );

  it('are trusted by a list, until they are revoked there', () => {
    const list = parseTrustList(`# ours\n${ada.publicKey} Ada\n\n${bob.publicKey} Bob\nrevoked ${bob.publicKey}\n`);
    expect(() => assertTrusted(ada.publicKey, list)).not.toThrow();
    expect(() => assertTrusted(bob.publicKey, list)).toThrow(`the key of Bob, ${bob.publicKey}, is revoked.`);
    expect(() => assertTrusted('paris-key:other', list)).toThrow(
      'who signed it, is not trusted. Nothing of the bundle was read.',
    );
    const early = parseTrustList(`revoked ${ada.publicKey}\n${ada.publicKey} Ada`); // whatever the order
    expect(() => assertTrusted(ada.publicKey, early)).toThrow('is revoked');
    expect(() => parseTrustList(`${ada.publicKey}\nAda`)).toThrow('line 2 of the list of trusted keys is neither');
  });

  it('have one text each, so that a list cannot name a key twice', async () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const [start, last] = [bob.publicKey.slice(0, -1), letters.indexOf(bob.publicKey.at(-1)!)];
    for (const unused of [1, 2, 3]) {
      const other = start + letters[last + unused]; // 32 bytes leave two bits of the last character unused
      const list = `${bob.publicKey} Bob\nrevoked ${other}`;
      expect(() => parseTrustList(list)).toThrow('line 2 of the list of trusted keys is neither');
      await expect(isSignedBy(other, text('x'), new Uint8Array(64))).rejects.toThrow('this is no public key');
    }
  });
});

describe('a signed file', () => {
  it('is read by those who trust its signer, and by nobody when a byte of it was changed', async () => {
    const file = await seal(text('content'), ada.secretKey);
    expect(await openSealed(file)).toEqual({ content: text('content'), signer: ada.publicKey });
    await expect(openSealed(file, parseTrustList(bob.publicKey))).rejects.toThrow('is not trusted');
    for (let at = 0; at < file.length; at++) await expect(openSealed(flipped(file, at))).rejects.toThrow(DataError);
    for (const length of [0, 7, 103, file.length - 1]) {
      await expect(openSealed(file.subarray(0, length))).rejects.toThrow(DataError);
    }
    const resigned = file.slice();
    resigned.set((await seal(text('content'), bob.secretKey)).subarray(8, 40), 8); // another's name on it
    await expect(openSealed(resigned)).rejects.toThrow('its signature is not that of these bytes');
  });
});

describe('a job', () => {
  it('is the same bytes each time, and says what it asks for', async () => {
    expect(await createJobBundle({ ...options, proveEvery: 3, maxHours: 2, secretKey: ada.secretKey })).toEqual(job);
    const { job: found, signer } = await openJob(job);
    expect(signer).toBe(ada.publicKey);
    expect(found).toMatchObject({ kind: 'job', proveEvery: 3, maxHours: 2, licences: { MIT: 12 } });
    expect(found.identity).toMatchObject({ cluster: 1, options: { steps: 8, seed: 0, architecture: 'dit' } });
  });

  it.each([
    [{ maxHours: 0 }, 'maxHours must be a number above 0, got 0.'],
    [{ maxHours: Number.NaN }, 'maxHours must be a number above 0, got NaN.'],
    [{ proveEvery: 0 }, 'proveEvery must be a whole number from 1 on, got 0.'],
    [{ proveEvery: 1.5 }, 'proveEvery must be a whole number from 1 on, got 1.5.'],
  ])('that nobody could open is not made: %j', async (change, sentence) => {
    const made = createJobBundle({ ...options, proveEvery: 3, secretKey: ada.secretKey, ...change });
    await expect(made).rejects.toThrow(sentence);
  });

  it('has all files of a cluster whose pictures are in several', async () => {
    const { manifest, rows } = await readCluster(data, 1);
    const store = memoryStore();
    await writeCluster(store, manifest, rows, { shardBytes: 1000 });
    const opened = await openJob(
      await createJobBundle({ ...options, data: store, proveEvery: 3, secretKey: ada.secretKey }),
    );
    const files = (await store.list()).filter((path) => /(images|items)-\d{5}/.test(path));
    expect(files.filter((path) => path.includes('images-')).length).toBeGreaterThan(1);
    expect(files.filter((path) => path.includes('items-')).length).toBeGreaterThan(1);
    for (const path of files) expect(await opened.files.read(path)).toEqual(await store.read(path));
    expect((await trainJob(opened, { device, runs: memoryStore() })).data).toEqual(opened.job.identity.data);
  });

  it('is trained with nothing else, to the bytes of that training; its result verifies against it and is assembled', async () => {
    const [runs, plain] = [memoryStore(), memoryStore()];
    const record = await trainJob(await openJob(job), { device, runs, samples: { every: 4, steps: 2 } });
    expect(await runs.list('expert-01/samples')).toHaveLength(2);
    expect(record.proof?.every).toBe(3);
    await trainExpert({ ...options, device, runs: plain });
    expect(await runs.read('expert-01/model.safetensors')).toEqual(await plain.read('expert-01/model.safetensors'));

    const result = await createResultBundle(folderStore(runs, 'expert-01'), bob.secretKey);
    const opened = await openResult(result, parseTrustList(bob.publicKey));
    expect([opened.name, opened.signer]).toEqual(['expert-01', bob.publicKey]);
    const asked = (await openJob(job)).job;
    const { identity } = asked;
    await assertAnswers(opened, asked);
    const longer = { ...asked, identity: { ...identity, options: { ...identity.options, steps: 80 } } };
    await expect(assertAnswers(opened, longer)).rejects.toThrow(
      '[bundle] expert-01 is not the training of this job: steps is 8, and the job asks for 80.',
    );
    await expect(assertAnswers(opened, { ...asked, proveEvery: 4 })).rejects.toThrow(
      'proveEvery is 3, and the job asks for 4.',
    );
    expect((await verifyRun({ device, run: opened.run, data, expected: identity })).odds).toBe(1);
    const all = memoryStore();
    await acceptResult(opened, all);
    expect(await all.read('expert-01/model.safetensors')).toEqual(await runs.read('expert-01/model.safetensors'));
    await expect(openJob(result)).rejects.toThrow('[bundle] it is the result of a training, and no job.');
    await expect(openResult(job)).rejects.toThrow('[bundle] it is a job, and no result of a training.');

    // A second time it is there, one that was cut short is completed, and another one stays as it is.
    const whole = await all.list();
    await acceptResult(opened, all);
    for (const path of ['expert-01/run.json', 'expert-01/model.safetensors']) await all.remove(path);
    await acceptResult(opened, all);
    expect(await all.list()).toEqual(whole);
    await all.write('expert-01/metrics.jsonl', text('mine'));
    await expect(acceptResult(opened, all)).rejects.toThrow('another expert-01 is there already ("metrics.jsonl"');
    expect(await all.read('expert-01/metrics.jsonl')).toEqual(text('mine'));
  });

  it('without its data fetches what was signed, from a public https server unless more is allowed', async () => {
    let served: FileStore = data;
    const server = createServer(async (request, response) => {
      if (request.url!.startsWith('/moved/')) {
        response.writeHead(302, { location: `http://127.0.0.1:1/${request.url}` }).end();
        return;
      }
      const bytes = await served.read(decodeURIComponent(request.url!.slice(1))).catch(() => undefined);
      response.writeHead(bytes ? 200 : 404, { 'content-length': bytes?.length ?? 0 }).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const bundle = await createJobBundle({
        ...options,
        proveEvery: 3,
        dataAt: 'https://data.example.org/toy/',
        secretKey: ada.secretKey,
      });
      expect(bundle.length).toBeLessThan(10_000);
      const opened = await openJob(bundle);
      opened.job.data!.address = here;
      await expect(trainJob(opened, { device, runs: memoryStore() })).rejects.toThrow('is not an https address.');
      const runs = memoryStore();
      await trainJob(opened, { device, runs, allowPrivate: true });
      expect((await runs.list('expert-01')).length).toBeGreaterThan(3);
      served = memoryStore();
      await writeToyData(served, 11);
      await expect(trainJob(opened, { device, runs: memoryStore(), allowPrivate: true })).rejects.toThrow(
        /is not the file that was signed|bytes; at most/,
      );
    } finally {
      server.close();
    }
    const local = { ...options, proveEvery: 3, dataAt: 'https://192.168.0.1/', secretKey: ada.secretKey };
    await expect(createJobBundle(local)).rejects.toThrow('is an address of this machine or of a private network');
  });

  it.each([
    ['a path that leads out', [{ name: '../job.json', body: '{}' }], '"../job.json", which no such bundle has'],
    ['a program', [{ name: 'job.js', body: '' }], '"job.js", which no such bundle has'],
    [
      'a link',
      [{ name: 'job.json', type: 'symlink', linkname: '/etc/passwd' }],
      '"job.json", which no such bundle has',
    ],
    ['a file twice', [1, 2].map(() => ({ name: 'job.json', body: '{}' })), 'holds "job.json" twice'],
    ['nothing', [], 'it is no job'],
    ['JSON of another shape', [{ name: 'job.json', body: '{"version":1}' }], 'job.json'],
  ])('with %s in it is refused, though it is signed', async (_, files, message) => {
    const entries = files.map(
      ({ body, ...header }: { name: string; body?: string; type?: string; linkname?: string }) => {
        return { header: { ...header, size: body?.length ?? 0 } as never, ...(body !== undefined && { body }) };
      },
    );
    await expect(openJob(await seal(await packTar(entries), ada.secretKey))).rejects.toThrow(message);
  });

  it('that is no archive is refused, though it is signed', async () => {
    await expect(openJob(await seal(new Uint8Array(1024).fill(7), ada.secretKey))).rejects.toThrow(
      'what is signed is no archive',
    );
  });

  it('whose data was changed after it was signed for is not trained', async () => {
    const opened = await openJob(job);
    const other = memoryStore();
    await writeToyData(other, 11);
    await expect(trainJob({ ...opened, files: other }, { device, runs: memoryStore() })).rejects.toThrow(
      'the data is not that of the job',
    );
  });
});

describe('a result', () => {
  it('is made of a finished run that kept a chain', async () => {
    const runs = memoryStore();
    await expect(createResultBundle(runs, ada.secretKey)).rejects.toThrow('there is no run.json');
    await trainExpert({ ...options, device, runs });
    await expect(createResultBundle(folderStore(runs, 'expert-01'), ada.secretKey)).rejects.toThrow('kept no chain');
  });
});
