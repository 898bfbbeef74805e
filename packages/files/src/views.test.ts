import { expect, it } from 'vitest';
import { memoryStore } from './stores/memory.js';
import type { FileSource } from './stores/store.js';
import { onlyFolder } from './views.js';

const files = { 'clusters/03/a': '3', 'clusters/031/a': '31', 'clusters/04/a': '4', 'vocabulary.json': '{}' };

/** A source that notes every call. */
function spy(store: FileSource): { store: FileSource; calls: string[] } {
  const calls: string[] = [];
  const noted =
    <A extends unknown[], R>(name: string, method: (...args: A) => R) =>
    (...args: A) => {
      calls.push(name);
      return method(...args);
    };
  const { read, size, exists } = store;
  return { store: { read: noted('read', read), size: noted('size', size), exists: noted('exists', exists) }, calls };
}

it('opens what is in the folder', async () => {
  const store = onlyFolder(memoryStore(files), 'clusters/03');
  expect(await store.size('clusters/03/a')).toBe(1);
  expect(await store.exists('clusters/03/a')).toBe(true);
  expect(await store.exists('clusters/03/b')).toBe(false);
  expect(new TextDecoder().decode(await store.read('clusters/03/a', { offset: 0, length: 1 }))).toBe('3');
});

it('refuses all else, naming the path, before the store hears of it', async () => {
  const { store: inner, calls } = spy(memoryStore(files));
  const store = onlyFolder(inner, 'clusters/03');
  for (const path of ['clusters/04/a', 'clusters/031/a', 'vocabulary.json', 'clusters', 'clusters/03/../04/a']) {
    for (const attempt of [() => store.read(path), () => store.size(path), () => store.exists(path)]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'FILE_ACCESS', message: expect.stringContaining(path) });
    }
  }
  await expect(store.size('clusters/04/a')).rejects.toThrow(
    '[store] "clusters/04/a" is outside what may be opened here ("clusters/03"). Open it through another store.',
  );
  expect(calls).toEqual([]);
  await store.read('clusters/03/a');
  expect(calls).toEqual(['read']);
});

it('narrows, and never widens, another view', async () => {
  const inner = onlyFolder(memoryStore(files), 'clusters/03');
  await expect(onlyFolder(inner, 'clusters/04').read('clusters/04/a')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
  await expect(onlyFolder(inner, 'clusters').read('clusters/04/a')).rejects.toMatchObject({ code: 'FILE_ACCESS' });
});
