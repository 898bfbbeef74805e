// A model's experts and router as networks with weights: an evaluation asks each expert about each picture, which
// sampling never does.
import { type AnyExpertArchitecture, dit, type Expert } from '@paris/dit';
import { type AnyRouterArchitecture, type Router, routerTransformer } from '@paris/router';
import { compareParameters, type ModelIndex, parseModelIndex, readVocabulary, type Vocabulary } from '@paris/sampler';
import { CheckpointError, type Device, key } from '@paris/tensor';
import { parseSafetensors, parseSafetensorsHeader } from '@paris/tensor/safetensors';
import type { FileStore } from '@paris/tensor/store';
import { sha256 } from '../formats/json.js';
import type { Params } from '../train/params.js';

export interface LoadedModel {
  index: ModelIndex;
  vocabulary: Vocabulary;
  /** Experts with the same config share one `network`, and so their compiled plans. */
  experts: { network: Expert; params: Params }[];
  /** A model of one expert has none. */
  router?: { network: Router; params: Params };
  dispose(): void;
}

/** Your own architectures, beside the built-in `dit` and `router-transformer`. */
export interface Architectures {
  experts?: readonly AnyExpertArchitecture[];
  routers?: readonly AnyRouterArchitecture[];
}

/** @throws CheckpointError for files that do not match the index or their network, or an architecture that is not known */
export async function loadNetworks(model: FileStore, device: Device, own: Architectures = {}): Promise<LoadedModel> {
  const index = parseModelIndex(await model.read('model_index.json'));
  const read = async (path: string) => checked(index, path, await model.read(path));
  const byConfig = new Map<string, Expert | Router>();
  const load = async <N extends Expert | Router>(
    folder: string,
    architectures: readonly { architecture: string; fromConfig(json: unknown): N }[],
  ): Promise<{ network: N; params: Params }> => {
    const text = new TextDecoder().decode(await read(`${folder}/config.json`));
    const config = JSON.parse(text) as { architecture?: string };
    const architecture = architectures.find((a) => a.architecture === config.architecture);
    if (!architecture) {
      const known = [...new Set(architectures.map((a) => `"${a.architecture}"`))].join(', ');
      throw new CheckpointError(
        'evaluate',
        `${folder}/config.json asks for the architecture "${config.architecture}". Known: ${known}. Pass yours to evaluate.`,
      );
    }
    const network = (byConfig.get(text) as N | undefined) ?? architecture.fromConfig(config);
    byConfig.set(text, network);
    const path = `${folder}/model.safetensors`;
    const bytes = await read(path);
    const misfits = compareParameters(network.init(key(0)), parseSafetensorsHeader(bytes, path));
    if (misfits.length > 0) throw new CheckpointError('evaluate', `${folder}: ${misfits.join('; ')}. Assemble again.`);
    const tensors = Object.entries(parseSafetensors(bytes, path)).map(([name, host]) => {
      return [name, device.tensor(host.data, { shape: host.shape })] as const;
    });
    return { network, params: Object.fromEntries(tensors) };
  };
  const experts: LoadedModel['experts'] = [];
  for (let k = 0; k < index.clusters; k++)
    experts.push(await load<Expert>(`experts/${String(k).padStart(2, '0')}`, [...(own.experts ?? []), dit]));
  const router =
    index.clusters > 1 ? await load<Router>('router', [...(own.routers ?? []), routerTransformer]) : undefined;
  return {
    index,
    vocabulary: await readVocabulary(model),
    experts,
    ...(router && { router }),
    dispose: () => {
      for (const { params } of router ? [...experts, router] : experts) {
        for (const tensor of Object.values(params)) tensor.dispose();
      }
    },
  };
}

async function checked(index: ModelIndex, path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const listed = index.files.find((file) => file.path === path);
  if (listed?.sha256 === (await sha256(bytes))) return bytes;
  throw new CheckpointError('evaluate', `${path} is not the file that model_index.json describes. Assemble again.`);
}
