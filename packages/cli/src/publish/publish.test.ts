// Publishing to a hub on this machine, as the command does it.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { indexPath, parseModelIndex, writeModelIndex } from '@paris/model';
import { assembledCard } from '@paris/trainer';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publishCommand } from '../commands/publish.js';
import { exitCodeOf } from '../exit-code.js';
import { localHub } from '../testing/hub.testing.js';
import { commandHere } from '../testing/paris-here.js';
import { parseTarget } from './hub.js';

const quickstart = fileURLToPath(new URL('../../../../examples/quickstart/model', import.meta.url));
const token = 'hf_secret';
let folder: string;
let model: string;
let hub: Awaited<ReturnType<typeof localHub>>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-publish-'));
  model = join(folder, 'model');
  await cp(quickstart, model, { recursive: true });
  hub = await localHub(token, 60_000);
  process.env.HF_ENDPOINT = hub.address;
  process.env.HF_TOKEN = token;
  vi.spyOn(process.stdout, 'write').mockReturnValue(true); // JSON lines
});
afterEach(async () => {
  vi.restoreAllMocks();
  delete process.env.HF_ENDPOINT;
  delete process.env.HF_TOKEN;
  await hub.close();
  await rm(folder, { recursive: true });
});

const publish = (...args: string[]) =>
  publishCommand()
    .exitOverride()
    .parseAsync([model, '--to', 'hf:me/cats', '--json', ...args], { from: 'user' });

const refusal = async (...args: string[]): Promise<{ message: string; code: number }> => {
  const error = await publish(...args).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return { message: String(error), code: exitCodeOf(error) };
};

describe('paris publish', () => {
  it('sends nothing unless it is said to', async () => {
    await publish();
    expect(hub.asked).toEqual([]);
    const lines = vi.mocked(process.stdout.write).mock.calls.map(([line]) => JSON.parse(String(line)));
    const { result } = lines.find(({ type }) => type === 'result');
    const sizes = new Map(result.files.map((file: { path: string; sizeBytes: number }) => [file.path, file.sizeBytes]));
    expect([...sizes.keys()].sort()).toEqual([...(await nodeStore(model).list())].sort());
    expect(sizes.get('router/config.json')).toBe(await nodeStore(model).size('router/config.json'));
  });

  it('commits what the index lists, the index and the card, large files by LFS and the largest in parts', async () => {
    await writeFile(join(model, 'notes.txt'), 'mine');
    await publish('--yes', '--private', '--message', 'cats');
    const { files, commits, visibility } = hub.repositories.get('me/cats')!;
    expect([commits, visibility]).toEqual([['cats'], 'private']);
    const store = nodeStore(model);
    const expected = (await store.list()).filter((path) => path !== 'notes.txt');
    expect([...files.keys()].sort()).toEqual([...expected].sort());
    for (const path of expected.filter((name) => name !== 'README.md')) {
      expect(files.get(path)!.equals(await store.read(path)), path).toBe(true);
    }
    const sentInParts = hub.asked.filter((line) => /^PUT \/lfs\/\w+\/\d+$/.test(line));
    expect(sentInParts.length).toBeGreaterThanOrEqual(8); // four experts of 108 kB, 60 kB a part
    expect(hub.asked.some((line) => /^PUT \/lfs\/\w+$/.test(line))).toBe(true); // the router in one
  });

  it('puts what the hub reads in front of a card that lacks it, and leaves the folder as it is', async () => {
    const own = await readFile(join(model, 'README.md'), 'utf8');
    await publish('--yes');
    const card = String(hub.repositories.get('me/cats')!.files.get('README.md'));
    expect(card).toMatch(/^---\nlicense: other\nlicense_name: "Apache-2.0 AND CC-BY-4.0"\n[\s\S]*\n---\n\n# /);
    expect(card.endsWith(own)).toBe(true);
    expect(await readFile(join(model, 'README.md'), 'utf8')).toBe(own);
  });

  it('sends a card with metadata as it is, and the pictures that it shows', async () => {
    const card = '---\nlicense: mit\n---\n![samples](samples.png) ![elsewhere](https://example.org/a.png)\n';
    await writeFile(join(model, 'README.md'), card);
    expect(await refusal()).toEqual({
      message: expect.stringContaining('shows "samples.png", which is not'),
      code: 65,
    });
    await writeFile(join(model, 'samples.png'), 'a picture');
    await publish('--yes');
    const { files } = hub.repositories.get('me/cats')!;
    expect(String(files.get('README.md'))).toBe(card);
    expect(String(files.get('samples.png'))).toBe('a picture');
  });

  it.each([
    ['a title', '![x](my.png "My cats")', 'my.png'],
    ['angle brackets', '![x](<my cats.png>)', 'my cats.png'],
    ['a space as %20', '![x](my%20cats.png)', 'my cats.png'],
    ['the folder itself', '![x](./my.png)', 'my.png'],
    ['brackets', '[![x [y]](my_(1).png)](https://example.org)', 'my_(1).png'],
    ['a query', '![x](pictures/my.svg?raw=true)', 'pictures/my.svg'],
    ['a reference', '![x][Cats]\n\n[cats]: my.png', 'my.png'],
    ['a tag', '<p><img width="9" src="my.png"></p>', 'my.png'],
    ['a tag in single quotes', "<img alt='x'\n  src='my.png'/>", 'my.png'],
  ])('sends a picture that the card shows with %s', async (_, shown, path) => {
    await writeFile(join(model, 'README.md'), `---\nlicense: mit\n---\n# Cats\n\n${shown}\n`);
    expect((await refusal()).message).toContain('which is not in the model folder');
    await nodeStore(model).write(path, new TextEncoder().encode('a picture'));
    await publish('--yes');
    expect(String(hub.repositories.get('me/cats')!.files.get(path))).toBe('a picture');
  });

  it('takes a link to a picture, or one elsewhere, for none that the card shows', async () => {
    const links = '[x](a.png) [y][z] ![w](//example.org/b.png) <img src="https://example.org/c.png">\n\n[z]: d.png\n';
    await writeFile(join(model, 'README.md'), `---\nlicense: mit\n---\n${links}`);
    await publish('--yes');
    const { files } = hub.repositories.get('me/cats')!;
    expect([...files.keys()].filter((path) => path.endsWith('.png'))).toEqual([]);
  });

  it('writes the card for a model that has none, to look at, and never over a file', async () => {
    await rm(join(model, 'README.md'));
    const file = join(folder, 'card.md');
    await publish('--card', file);
    const card = await readFile(file, 'utf8');
    expect(card).toContain('# me/cats');
    expect(card).toContain('4 experts, each trained alone');
    expect(await refusal('--card', file)).toEqual({ message: expect.stringContaining('is there already'), code: 2 });
    expect(hub.asked).toEqual([]);
  });

  describe('of a model whose card the index lists, as assemble writes it', () => {
    const card = () => join(model, 'README.md');
    const sentCard = async () => {
      const { files } = hub.repositories.get('me/cats')!;
      const listed = parseModelIndex(files.get(indexPath)!).files.find(({ path }) => path === 'README.md');
      expect(listed).toMatchObject({ sha256: await sha256(files.get('README.md')!) });
      return String(files.get('README.md'));
    };
    beforeEach(async () => {
      const store = nodeStore(model);
      const index = parseModelIndex(await store.read(indexPath));
      await writeFile(card(), assembledCard(index, 'tokens'));
      await writeModelIndex(store, index);
    });

    it('makes a card that says all that is known where it was removed', async () => {
      await rm(card());
      await publish('--yes');
      expect(await sentCard()).toContain('# me/cats');
    });

    it('sends the card that --card wrote, edited', async () => {
      const file = join(folder, 'card.md');
      await publish('--card', file);
      const edited = `${await readFile(file, 'utf8')}\nThey are my cats.\n`;
      await writeFile(card(), edited);
      await publish('--yes');
      expect(await sentCard()).toBe(edited);
    });

    it('puts what the hub reads in front of one of your own', async () => {
      await writeFile(card(), '# My cats\n');
      await publish('--yes');
      expect(await sentCard()).toMatch(/^---\nlicense: [\s\S]*\n---\n\n# My cats\n$/);
    });
  });

  it('sends no file that is not what the index says', async () => {
    const weights = join(model, 'experts/02/model.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    expect(await refusal('--yes')).toEqual({
      message: expect.stringContaining('experts/02/model.safetensors'),
      code: 65,
    });
    expect(hub.asked).toEqual([]);
  });

  it('publishes again into a repository that is there: files that it has are not sent twice', async () => {
    await publish('--yes');
    hub.asked.length = 0;
    await publish('--yes');
    expect(hub.asked.filter((line) => line.startsWith('PUT'))).toEqual([]);
    expect(hub.repositories.get('me/cats')!.commits).toHaveLength(2);
  });
});

it('draws from the hub what the folder draws, as a command', async () => {
  const published = await commandHere(['publish', model, '--to', 'hf:me/cats', '--yes']);
  expect(published.code, published.stderr).toBe(0);
  expect(published.stderr).toContain(`published: ${hub.address}/me/cats/commit/1`);
  expect(published.stdout + published.stderr).not.toContain(token);
  const sample = (source: string, file: string) =>
    commandHere(
      ['sample', source, '--adapter', 'cpu', '--prompt', 'cat', '--count', '1', '--steps', '2', '--out', file],
      {
        env: { PARIS_CACHE: join(folder, 'cache') },
      },
    );
  const [here, there] = [join(folder, 'here.png'), join(folder, 'there.png')];
  for (const { code, stderr } of [await sample(model, here), await sample('hf:me/cats', there)])
    expect(code, stderr).toBe(0);
  expect(await readFile(there)).toEqual(await readFile(here));
});

describe('a refused publication is one sentence, and commits nothing', () => {
  it('without a token', async () => {
    delete process.env.HF_TOKEN;
    expect(await refusal('--yes')).toEqual({ message: expect.stringContaining('Set HF_TOKEN'), code: 78 });
    expect(hub.asked).toEqual([]);
  });

  it.each(['secret', 'hf_sec\nret', 'hf_тайна', 'hf_'])(
    'with what is no token, %j, which is not shown',
    async (token) => {
      process.env.HF_TOKEN = token;
      const { message, code } = await refusal('--yes');
      expect(message).toContain('HF_TOKEN is no token, which begins with hf_');
      expect([message.includes(token.slice(0, 6)), code]).toEqual([token === 'hf_', 78]);
      expect(hub.asked).toEqual([]);
    },
  );

  it('but takes a token with the end of a line, as files have it', async () => {
    process.env.HF_TOKEN = `${token}\n`;
    await publish('--yes');
    expect(hub.repositories.get('me/cats')!.commits).toHaveLength(1);
  });

  it.each([
    ['hub.example', 'HF_ENDPOINT, "hub.example", is no http(s) address.'],
    ['https://me:secret@hub.example', 'HF_ENDPOINT, "https://hub.example", holds a user or a password.'],
  ])('by a hub at %s', async (address, sentence) => {
    process.env.HF_ENDPOINT = address;
    for (const flags of [[], ['--yes']]) {
      expect(await refusal(...flags)).toEqual({ message: expect.stringContaining(sentence), code: 78 });
    }
  });

  it('with a token that may not, which is not shown', async () => {
    process.env.HF_TOKEN = 'hf_wrong';
    const { message, code } = await refusal('--yes');
    expect(message).toContain('answered 401. Nothing was committed. Set HF_TOKEN to one that may write there.');
    expect(message).not.toContain('hf_wrong');
    expect(code).toBe(78);
  });

  it.each([
    ['busy', 503, 'PUT', 75],
    ['of another mind', 400, 'PUT', 78],
    ['unsure of the branch', 404, 'POST', 78],
  ])('by a hub that is %s', async (_, status, method, code) => {
    hub.refuse = (asked, path) => (asked === method && !path.includes('create') ? status : undefined);
    const refused = await refusal('--yes');
    expect(refused).toEqual({ message: expect.stringContaining(`answered ${status}. Nothing was committed`), code });
    expect(hub.repositories.get('me/cats')!.commits).toEqual([]);
  });

  it('by no hub at all', async () => {
    process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
    expect(await refusal('--yes')).toEqual({ message: expect.stringContaining('was not reached'), code: 75 });
  });

  it('by a wrong name', () => {
    expect(parseTarget('hf:me/cats@v2')).toEqual({ repository: 'me/cats', branch: 'v2' });
    for (const text of ['me/cats', 'hf:cats', 'https://huggingface.co/me/cats', 'hf:me/cats/experts']) {
      expect(() => parseTarget(text)).toThrow(`"${text}" is no repository of a hub. Write hf:owner/name`);
    }
    expect(() => parseTarget('hf:me/cats@new/try')).toThrow(
      '"hf:me/cats@new/try" is a branch with a slash, of which no model',
    );
  });
});
