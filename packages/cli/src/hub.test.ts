// Models of a hub, by the command; a server of this machine is the hub.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveFiles } from '../../files/src/stores/serve-files.testing.js';
import { EXIT } from './exit-code.js';
import { paris } from './testing/paris.js';
import { commandHere } from './testing/paris-here.js';

const pathOf = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const model = pathOf('examples/quickstart/model');
const token = 'hf_secret';
const asked: string[] = [];
const files = new Map<string, Uint8Array>();
const answer = serveFiles(files, () => ({ ranges: true, tag: '"1"' }), asked);
let onRequest: (path: string) => unknown = () => {};
const hub = createServer((request, response) => {
  onRequest(request.url ?? '');
  if (request.headers.authorization === `Bearer ${token}`) answer(request, response);
  else response.writeHead(401).end();
});
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-hub-'));
  const store = nodeStore(model);
  for (const path of await store.list()) files.set(`/me/cats/resolve/main/${path}`, await store.read(path));
  files.set('/me/dit/resolve/v2/dit.pt', await readFile(pathOf('packages/files/fixtures/checkpoint/dit.pt')));
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const HF_ENDPOINT = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
  env = { HF_ENDPOINT, HF_TOKEN: token, PARIS_CACHE: join(folder, 'cache') };
});
afterAll(async () => {
  hub.close();
  await rm(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const sample = (source: string, out: string, more: NodeJS.ProcessEnv = {}) =>
  commandHere(
    ['sample', source, '--adapter', 'cpu', '--prompt', 'cat', '--count', '1', '--steps', '2', '--out', at(out)],
    {
      env: { ...env, ...more },
    },
  );

describe('hf:owner/name', () => {
  it('is imported', async () => {
    const imported = await commandHere(['import', 'hf:me/dit@v2/dit.pt', '--heads', '2', '--out', at('dit')], { env });
    expect(imported.code, imported.stderr).toBe(0);
    expect(imported.stderr).toContain('hf:me/dit@v2/dit.pt is in a file of weights (PyTorch, its ema)');
    expect(imported.stderr).not.toContain(token);
    expect(await readdir(at('dit'))).toContain('model_index.json');
  });

  it('without the right token is one sentence that does not show it', async () => {
    const refused = await sample('hf:me/cats', 'none.png', { HF_TOKEN: 'hf_wrong' });
    expect(refused.code).toBe(EXIT.config);
    expect(refused.stderr).toContain(
      '[store] the server answered 401 to "model_index.json". Give a token that may read it: HF_TOKEN for a hub, else headers.',
    );
    expect(refused.stderr).not.toContain('hf_wrong');
  });

  it('resumes after the process was killed, with what had arrived', async () => {
    let child: ChildProcess | undefined;
    const last = 'experts/02/model.safetensors';
    const cache = { PARIS_CACHE: at('killed') };
    // All of it: the one that was started watches the one that works.
    onRequest = (path) => path.endsWith(last) && child?.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
    const args = ['sample', 'hf:me/cats', '--adapter', 'cpu', '--prompt', 'cat', '--out', at('killed.png'), '--json'];
    const killed = await paris(args, {
      env: { ...env, ...cache },
      onEvent: (_, parent) => {
        child = parent;
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    onRequest = () => {};
    asked.length = 0;
    const resumed = await sample('hf:me/cats', 'killed.png', cache);
    expect(resumed.code, resumed.stderr).toBe(0);
    const fetched = asked.filter((line) => !line.endsWith('bytes=0-0')).map((line) => line.split(' ')[1]!);
    expect(fetched.some((path) => path.endsWith(last))).toBe(true);
    expect(fetched.some((path) => path.includes('experts/00/'))).toBe(false);
  });

  it('draws what the folder draws, and again without the hub', async () => {
    const local = await sample(model, 'local.png');
    expect(local.code, local.stderr).toBe(0);
    const drawn = await sample('hf:me/cats', 'hub.png');
    expect(drawn.code, drawn.stderr).toBe(0);
    expect(await readFile(at('hub.png'))).toEqual(await readFile(at('local.png')));
    asked.length = 0;
    expect((await sample('hf:me/cats', 'again.png')).code).toBe(0);
    expect(new Set(asked.map((line) => line.split(' ')[2]))).toEqual(new Set(['bytes=0-0'])); // whether it changed
    hub.closeAllConnections();
    await new Promise((resolve) => hub.close(resolve));
    const offline = await sample('hf:me/cats', 'offline.png');
    expect(offline.code, offline.stderr).toBe(0);
    expect(await readFile(at('offline.png'))).toEqual(await readFile(at('local.png')));
  });
});
