// `paris serve` from its first line to its exit code, on the model of the quickstart.
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Ended, paris } from './testing/paris.js';

const model = fileURLToPath(new URL('../../../examples/quickstart/model', import.meta.url));

interface Served extends Ended {
  /** What it said, and how, until it ended. */
  notices: string[];
}

/** Starts a server, and ends when it does. `use` gets its address once it listens; each stops it. */
async function serve(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  use: (url: string, child: ChildProcess) => Promise<void>,
): Promise<Served> {
  const notices: string[] = [];
  let used: Promise<void> | undefined;
  const ended = await paris(['serve', model, '--adapter', 'cpu', '--port', '0', '--json', ...args], {
    env: { PARIS_API_KEY: undefined, ...env },
    onEvent: (event, child) => {
      if (event.type !== 'notice') return;
      notices.push(event.message);
      const [, url] = /^listening on (.*)$/.exec(event.message) ?? [];
      if (url !== undefined) used = use(url, child).finally(() => child.kill('SIGTERM'));
    },
  });
  await used;
  return { ...ended, notices };
}

function ask(url: string, fields: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt: 'cat', steps: 1, ...fields }),
  });
}

/** When a request is being drawn. */
async function drawing(url: string): Promise<void> {
  const state = async () => ((await (await fetch(`${url}/health`)).json()) as { drawing: number }).drawing;
  await expect.poll(state, { timeout: 60_000, interval: 20 }).toBe(1);
}

describe('paris serve', () => {
  it('answers who has the key, and warns nobody', async () => {
    const { code, notices } = await serve([], { PARIS_API_KEY: 'secret' }, async (url) => {
      expect((await ask(url, {})).status).toBe(401);
      expect((await ask(url, {}, { authorization: 'Bearer secret' })).status).toBe(200);
    });
    expect(code).toBe(143);
    expect(notices.filter((line) => line.startsWith('warning'))).toEqual([]);
    expect(notices.some((line) => /^POST \/v1\/images\/generations 200 \d+ ms$/.test(line))).toBe(true);
  });

  it('leads away from a weaker model where it was given one', async () => {
    const { code } = await serve(['--autoguidance', model], {}, async (url) => {
      expect((await ask(url, { autoguidance: 2 })).status).toBe(200);
    });
    expect(code).toBe(143);
    const without = await serve([], {}, async (url) => {
      expect((await ask(url, { autoguidance: 2 })).status).toBe(400);
    });
    expect(without.code).toBe(143);
    const none = await paris(['serve', model, '--adapter', 'cpu', '--autoguidance', 'not-there', '--json'], {});
    expect([none.code, none.stderr + none.stdout]).toEqual([expect.any(Number), expect.stringContaining('not-there')]);
    expect(none.code).not.toBe(0);
  });

  it('listens elsewhere only with a warning, unless it has a key', async () => {
    const use = async (url: string) => {
      const { port } = new URL(url);
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    };
    const open = await serve(['--host', '0.0.0.0'], {}, use);
    const [warning, ...others] = open.notices.filter((line) => line.startsWith('warning'));
    expect(warning).toMatch(
      /^warning: ANYONE who reaches http:\/\/0\.0\.0\.0:\d{2,5} can use this server: it has no API key\. Set PARIS_API_KEY\.$/,
    );
    expect(others).toEqual([]);
    const locked = await serve(['--host', '0.0.0.0'], { PARIS_API_KEY: 'secret' }, use);
    expect(locked.notices.filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  it('finishes what it draws when it is stopped, within its grace', async () => {
    let answer: Promise<Response> | undefined;
    const { code } = await serve(['--grace', '60'], {}, async (url, child) => {
      answer = ask(url, { steps: 100 });
      await drawing(url);
      child.kill('SIGTERM');
      await expect
        .poll(() =>
          ask(url, {}).then(
            ({ status }) => status,
            () => 503,
          ),
        )
        .toBe(503); // nothing new
    });
    expect((await answer!).status).toBe(200);
    expect(code).toBe(143);
  });

  it('cancels it when the grace is over, and says so', async () => {
    let answer: Promise<Response> | undefined;
    const { code } = await serve(['--grace', '0', '--max-steps', '5000'], {}, async (url) => {
      answer = ask(url, { steps: 5000 });
      await drawing(url);
    });
    const response = await answer!;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { code: 'shutting_down', message: 'The server ended before the pictures were drawn.' },
    });
    expect(code).toBe(143);
  });
});
