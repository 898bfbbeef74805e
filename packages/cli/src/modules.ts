// What users bring along in files: their own expert, and what its config.json is to say.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkJson, parseJson } from '@paris/files';
import type { Architecture, Expert } from '@paris/model';
import { ValueError } from '@paris/tensor';
import type { Json } from '@paris/trainer';
import * as z from 'zod/mini';

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

const configSchema: z.ZodMiniType<{ [name: string]: Json }> = z.record(z.string(), z.json());

/** A JSON file with an object. @throws CheckpointError if it is something else */
export async function loadConfig(file: string): Promise<{ [name: string]: Json }> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new ValueError('train', `the config file ${file} cannot be read (${cause.code}). Check its path.`, { cause });
  });
  const origin = { tag: 'readJson', path: file };
  return checkJson(parseJson(text, origin), configSchema, origin);
}
