import { expect, it } from 'vitest';
import { allowList } from './allowList.js';
import { memoryStore } from './memory.js';
import type { FileStore } from './store.js';

const files = { 'clusters/03/a': '3', 'clusters/031/a': '31', 'clusters/04/a': '4', 'vocabulary.json': '{}' };

/** A store that notes every call. */
function spy(store: FileStore): { store: FileStore; calls: string[] } {
  const calls: string[] = [];
  const handler: ProxyHandler<FileStore> = {
    get: (target, name, receiver) => {
      const method = Reflect.get(target, name, receiver) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return method.apply(target, args);
      };
    },
  };
  return { store: new Proxy(store, handler), calls };
}

it('opens what is allowed', async () => {
  const store = allowList(memoryStore(files), ['clusters/03', 'vocabulary.json']);
  expect(await store.size('clusters/03/a')).toBe(1);
  expect(await store.size('vocabulary.json')).toBe(2);
  expect(await store.list()).toEqual(['clusters/03/a', 'vocabulary.json']);
  expect(await store.list('clusters')).toEqual(['clusters/03/a']);
  expect(await store.list('clusters/03')).toEqual(['clusters/03/a']);
  await store.write('clusters/03/new', new Uint8Array(1));
});

it('refuses all else, naming the path, before the store hears of it', async () => {
  const { store: inner, calls } = spy(memoryStore(files));
  const store = allowList(inner, ['clusters/03']);
  const byte = new Uint8Array(1);
  for (const path of ['clusters/04/a', 'clusters/031/a', 'vocabulary.json', 'clusters', 'clusters/03/../04/a']) {
    const attempts = [
      () => store.read(path),
      () => store.size(path),
      () => store.exists(path),
      () => store.write(path, byte),
      () => store.append(path, ''),
      () => store.remove(path),
      () => store.move(path, 'clusters/03/b'),
      () => store.move('clusters/03/a', path),
      () => store.lock(path),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'FILE_ACCESS', message: expect.stringContaining(path) });
    }
  }
  await expect(store.list('clusters/04')).rejects.toThrow(
    '[store] "clusters/04" is outside what may be opened here ("clusters/03"). Open it through another store, or allow it.',
  );
  expect(calls).toEqual([]);
  await store.read('clusters/03/a');
  expect(calls).toEqual(['read']);
});

it('narrows, and never widens, another allow list', async () => {
  const inner = allowList(memoryStore(files), ['clusters/03']);
  await expect(allowList(inner, ['']).read('clusters/04/a')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
  await expect(allowList(inner, []).read('clusters/03/a')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
});
