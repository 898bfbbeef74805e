// What loading asks of models in somebody else's form: a chunk of its own.
import type { FileSource } from '@paris/files';
import { timeLeft } from '@paris/files/download';
import type { LoadOptions } from '../pipeline/load.js';
import { type ForeignModel, openForeign } from './open.js';
import { quantizeOnLoad } from './quantize-on-load.js';
import type { ForeignReader } from './reader.js';
import { openForeignSource, openNamed } from './source.js';

/** For the option of this name of `loadPipeline` in a page; elsewhere it is there by itself. */
export const foreignModels: ForeignReader = { openNamed, load: loadForeign, quantize: quantizeOnLoad };

async function loadForeign(
  store: FileSource,
  where: string,
  file: string | undefined,
  options: LoadOptions,
): Promise<ForeignModel> {
  const { foreign, promptEncoder, onNotice = console.info } = options;
  const { hints } = await openForeignSource(store, foreign, options);
  const model = await openForeign(store, where, { ...hints, file, withoutText: promptEncoder !== undefined });
  for (const notice of model.notices) onNotice(notice);
  return watched(model, options);
}

/** The model, whose weights report how far they are: in bytes of f32, whatever the files hold. */
function watched(model: ForeignModel, { onProgress, signal }: LoadOptions): ForeignModel {
  const totalBytes = model.parts.reduce((sum, { parameters }) => sum + 4 * parameters, 0);
  let loadedBytes = 0;
  const left = timeLeft();
  const counted = new Set<string>();
  const watch = <P extends Part>(part: P): P => ({
    ...part,
    async *tensors() {
      for await (const entry of part.tensors()) {
        signal?.throwIfAborted();
        const [name, { data }] = entry;
        const key = `${part.folder} ${name}`;
        // An expert that left the device may come again.
        if (!counted.has(key)) {
          counted.add(key);
          loadedBytes += 4 * data.length;
          onProgress?.({ file: part.folder, loadedBytes, totalBytes, secondsLeft: left(loadedBytes, totalBytes) });
        }
        yield entry;
      }
    },
  });
  const { experts, router, codec, text } = model.networks;
  const networks = {
    experts: experts.map(watch),
    router: router && watch(router),
    codec: watch(codec),
    text: text && watch(text),
  };
  return { ...model, networks };
}

type Part = ForeignModel['parts'][number];
