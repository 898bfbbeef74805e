// The volunteer's own key, and the keys of those whom they work for.
import type { FileStore } from '@paris/files';
import { createKeys, type Keys, parseTrustList, publicKeyOf, type TrustList } from '@paris/trainer';
import { KEY_FILE, TRUST_FILE } from './places.js';

/** The key of this browser; it is made when it is first needed. @throws DataError if the runtime has no Ed25519 */
export async function ownKeys(store: FileStore): Promise<Keys> {
  const lock = await store.lock(KEY_FILE); // two tabs must not make two
  try {
    if (await store.exists(KEY_FILE)) {
      const secretKey = new TextDecoder().decode(await store.read(KEY_FILE)).trim();
      return { secretKey, publicKey: await publicKeyOf(secretKey) };
    }
    const keys = await createKeys();
    await store.write(KEY_FILE, new TextEncoder().encode(`${keys.secretKey}\n`));
    return keys;
  } finally {
    await lock.release();
  }
}

/** @throws DataError that names the line that is no key */
export async function trusted(store: FileStore): Promise<TrustList> {
  return parseTrustList(await listText(store));
}

/** Adds a key to the list, with a name for people. */
export async function trust(store: FileStore, publicKey: string, name: string): Promise<void> {
  const kept = linesWithout(await listText(store), publicKey);
  await writeList(store, [...kept, `${publicKey} ${oneLine(name)}`.trim()]);
}

/** Takes a key back: what it signed is refused from now on. */
export async function revoke(store: FileStore, publicKey: string): Promise<void> {
  const name = (await trusted(store)).get(publicKey)?.name ?? '';
  const kept = linesWithout(await listText(store), publicKey);
  await writeList(store, [...kept, `revoked ${publicKey} ${name}`.trim()]);
}

async function listText(store: FileStore): Promise<string> {
  return (await store.exists(TRUST_FILE)) ? new TextDecoder().decode(await store.read(TRUST_FILE)) : '';
}

function linesWithout(text: string, publicKey: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.split(/\s+/).includes(publicKey));
}

async function writeList(store: FileStore, lines: readonly string[]): Promise<void> {
  await store.write(TRUST_FILE, new TextEncoder().encode(`${lines.join('\n')}\n`));
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
