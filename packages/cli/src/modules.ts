// What users bring along in files: their own expert, the folder of a codec or a text encoder.
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FileStore, ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { Architecture, Expert } from '@paris/model';
import type { PartFolder } from '@paris/trainer';

/** The default export of a module. @throws ValueError if it cannot be loaded or was not made by `defineArchitecture` */
export async function loadArchitecture(file: string): Promise<Architecture<Expert>> {
  const module: { default?: Partial<Architecture<Expert>> } = await import(pathToFileURL(resolve(file)).href).catch(
    (cause) => {
      const why = cause.code === 'ERR_MODULE_NOT_FOUND' ? 'it, or what it imports, is not there' : cause.message;
      throw new ValueError('train', `${file} cannot be loaded: ${String(why).split('\n')[0]}.`, { cause });
    },
  );
  const { architecture, fromConfig } = module.default ?? {};
  if (typeof architecture === 'string' && typeof fromConfig === 'function') return { architecture, fromConfig };
  throw new ValueError('train', `${file} has no default export made by defineArchitecture(…).`);
}

/** A file, as libraries take one: by its store, and its name in there. */
export function fileAt(path: string): { store: FileStore; path: string } {
  return { store: nodeStore(dirname(path)), path: basename(path) };
}

/** The folder of a part of a model, such as `model/codec`. */
export function partAt(path: string): PartFolder {
  const folder = resolve(path);
  return { store: nodeStore(dirname(folder)), folder: basename(folder) };
}
