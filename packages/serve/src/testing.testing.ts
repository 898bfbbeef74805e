// A toy model behind a server, for the tests.
import { createDiT, parseDiTConfig } from '@paris/dit';
import { encodeJson, memoryStore } from '@paris/files';
import { writeModelIndex } from '@paris/model';
import { type GenerateOptions, loadPipeline, type Pipeline } from '@paris/sampler';
import { type Device, key, openDevice } from '@paris/tensor';
import {
  classModelFolder,
  expertConfig,
  latent,
  modelFolder,
  weightsFile,
} from '../../sampler/src/pipeline/model.testing.js';
import type { ServeOptions } from './options.js';
import { createServer, type ImageServer } from './server.js';

let folder: ReturnType<typeof modelFolder> | undefined;

/** The toy model on a device of its own; pictures are 8×8. */
export async function toyPipeline(): Promise<Pipeline> {
  folder ??= made(modelFolder);
  return loadPipeline(await folder);
}

/** A weaker one, on a device that is there. */
export async function weakerPipeline(device: Device): Promise<Pipeline> {
  return loadPipeline(await made((own) => modelFolder(own, 2)), { device });
}

/** One that takes classes. */
export async function classPipeline(): Promise<Pipeline> {
  return loadPipeline(await made(classModelFolder));
}

/** One that draws one kind of picture, whatever is said. */
export async function promptlessPipeline(): Promise<Pipeline> {
  const config = { ...expertConfig, condition: { kind: 'none' } };
  const folder = await made(async (device) => {
    const store = memoryStore();
    const params = createDiT(parseDiTConfig(config)).init(key(1));
    await store.write('experts/00/config.json', encodeJson(config));
    await store.write('experts/00/model.safetensors', await weightsFile(device, params, 1));
    await writeModelIndex(store, { clusters: 1, latent, licence: 'MIT' });
    return store;
  });
  return loadPipeline(folder);
}

/** A pipeline whose drawing is watched: `before` is called with what is asked of it, and may throw. */
export function watched(pipeline: Pipeline, before: (options: GenerateOptions) => void): Pipeline {
  return new Proxy(pipeline, {
    get(target, name) {
      if (name === 'steps') {
        return async function* (options: GenerateOptions) {
          before(options);
          return yield* target.steps(options);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function made(folder: typeof classModelFolder): ReturnType<typeof classModelFolder> {
  const device = await openDevice();
  return folder(device).finally(() => device.close());
}

export function toyServer(options: Partial<ServeOptions> = {}): ImageServer {
  return createServer({ name: 'toy', open: toyPipeline, ...options });
}

/** A POST of JSON, as a client on this machine sends it. */
export function post(fields: unknown, headers: Record<string, string> = {}, path = '/v1/images/generations'): Request {
  return new Request(`http://localhost:8080${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', host: 'localhost:8080', ...headers },
    body: typeof fields === 'string' ? fields : JSON.stringify(fields),
  });
}
