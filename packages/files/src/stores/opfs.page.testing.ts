// What runs in a page: every case of the stores on the origin's private files.
import { storeCases } from './conformance.testing.js';
import { opfsStore } from './opfs.js';

/** @returns the cases that failed, with their message */
export async function failures(): Promise<string[]> {
  const failed: string[] = [];
  for (const [i, { name, run }] of storeCases.entries()) {
    const make = async (files: Record<string, Uint8Array | string>) => {
      const store = opfsStore(`case/${i}`);
      for (const [path, value] of Object.entries(files)) {
        await store.write(path, typeof value === 'string' ? new TextEncoder().encode(value) : value);
      }
      return store;
    };
    await run(make).catch((error: Error) => failed.push(`${name}: ${error.message}`));
  }
  return failed;
}

/** Reads a file while lines are added to it. @returns what a reader saw that was no beginning of it, and how often it read */
export async function readWhileWritten(): Promise<{ wrong: string[]; reads: number }> {
  const store = opfsStore('busy');
  await store.write('lines', new Uint8Array());
  const all = Array.from({ length: 200 }, (_, i) => `line ${i}\n`);
  let isWriting = true;
  const writing = (async () => {
    for (const line of all) await store.append('lines', line);
    isWriting = false;
  })();
  const [wrong, text]: [string[], string] = [[], all.join('')];
  let reads = 0;
  const reading = async () => {
    for (; isWriting; reads++) {
      await store.read('lines').then(
        (bytes) => text.startsWith(new TextDecoder().decode(bytes)) || wrong.push(new TextDecoder().decode(bytes)),
        (error: Error) => wrong.push(error.message),
      );
    }
  };
  await Promise.all([writing, reading(), reading(), reading()]);
  return { wrong, reads };
}

/** Begins to write a new file and one that is there, and never ends: the page is closed in the middle. */
export async function beginAndHang(): Promise<void> {
  const store = opfsStore('hang');
  await store.write('old', new Uint8Array([1, 2]));
  async function* endless() {
    yield new Uint8Array(1000);
    await new Promise(() => undefined);
  }
  store.write('old', endless());
  store.write('new', endless());
  await store.lock('held');
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** What another page finds after that. */
export async function afterwards(): Promise<unknown> {
  const store = opfsStore('hang');
  const before = await store.list();
  await (await store.lock('held')).release();
  await store.write('third', new Uint8Array(1)); // which sweeps
  const names: string[] = [];
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('hang');
  for await (const name of folder.keys()) names.push(name);
  return { before, old: [...(await store.read('old'))], names: names.sort() };
}
