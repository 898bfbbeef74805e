// What drawing a picture costs: arithmetic and bytes by the networks' shapes, for the architectures that are ours.
import { ditCost, parseDiTConfig } from '@paris/dit';
import { type FileSource, readJson } from '@paris/files';
import { expertFolder, type ModelIndex, presentExperts } from '@paris/model';
import { parseRouterConfig, routerCost } from '@paris/router';
import * as z from 'zod/mini';

/** One forward of a network for one picture. */
export interface NetworkCost {
  /** 2 × multiply-accumulates of products and attention. */
  flops: number;
  /** Of its weights. */
  bytes: number;
}

/** The networks of a model. */
export interface ModelCost {
  /** By cluster; undefined for those that are absent. */
  experts: readonly (NetworkCost | undefined)[];
  router: NetworkCost | undefined;
}

/** What one picture takes. */
export interface PictureCost {
  flops: number;
  /** Weights that are read, each network's once an evaluation. */
  bytes: number;
  /** Experts that run at a step, on average. */
  experts: number;
}

const configSchema = z.looseObject({ architecture: z.string() });

/** By the shapes in a model's folder; undefined where an architecture is not one of ours. */
export async function modelCost(model: FileSource, index: ModelIndex): Promise<ModelCost | undefined> {
  const { clusters, files } = index;
  const costOf = async (folder: string): Promise<NetworkCost | undefined> => {
    const config = await readJson(model, `${folder}/config.json`, configSchema);
    const flops = forwardFlops(config);
    const bytes = files.find(({ path }) => path === `${folder}/model.safetensors`)?.sizeBytes;
    return flops === undefined || bytes === undefined ? undefined : { flops, bytes };
  };
  const present = presentExperts(index);
  const experts: (NetworkCost | undefined)[] = [];
  for (const k of present) experts[k] = await costOf(expertFolder(k));
  const router = clusters > 1 ? await costOf('router') : undefined;
  if (present.some((k) => experts[k] === undefined) || (clusters > 1 && !router)) return undefined;
  return { experts, router };
}

/** 2 × multiply-accumulates of a forward for one picture; undefined for an architecture that is not ours. */
export function forwardFlops(config: { readonly architecture: string }): number | undefined {
  const { architecture, ...own } = config;
  if (architecture === 'dit') return 2 * ditCost(parseDiTConfig(own)).macs;
  if (architecture === 'router-transformer') return 2 * routerCost(parseRouterConfig(own)).macs;
  return undefined;
}

/**
 * The mean over pictures.
 * @param weights - of each picture the experts' weights at each evaluation; one of weight 0 does not run
 * @param passes - how often an expert runs in an evaluation: twice with guidance
 */
export function pictureCost(
  { experts, router }: ModelCost,
  weights: readonly (readonly Float32Array[])[],
  passes: number,
): PictureCost {
  const total = { flops: 0, bytes: 0, running: 0, evaluations: 0 };
  for (const evaluations of weights) {
    for (const own of evaluations) {
      for (const [k, weight] of own.entries()) {
        if (weight === 0) continue;
        total.flops += passes * experts[k]!.flops;
        total.bytes += experts[k]!.bytes;
        total.running++;
      }
      total.evaluations++;
      total.flops += router?.flops ?? 0;
      total.bytes += router?.bytes ?? 0;
    }
  }
  const mean = (value: number) => value / weights.length;
  return { flops: mean(total.flops), bytes: mean(total.bytes), experts: total.running / total.evaluations };
}
