// One pre-LN transformer block with its training step: what counts of dispatches and pipelines are taken on.
import type { Device } from '../device/device.js';
import { hostNormal, key, mse, type Tensor, valueAndGrad } from '../index.js';
import {
  type LayerNormParams,
  layerNorm,
  type MlpParams,
  type MultiHeadAttentionParams,
  mlp,
  multiHeadAttention,
} from '../nn/index.js';
import { adamw, type TrainState } from '../optim/index.js';

export interface BlockParams {
  readonly norm1: LayerNormParams;
  readonly attn: MultiHeadAttentionParams;
  readonly norm2: LayerNormParams;
  readonly mlp: MlpParams;
}

const blockSizes = { tokens: 64, width: 128, heads: 4 };

/** x [B, N, d] → [B, N, d] */
function block(params: BlockParams, x: Tensor): Tensor {
  const attended = x.add(multiHeadAttention(params.attn, layerNorm(params.norm1, x), { heads: blockSizes.heads }));
  return attended.add(mlp(params.mlp, layerNorm(params.norm2, attended)));
}

export function blockParameters(device: Device): BlockParams {
  const { width: d } = blockSizes;
  let seed = 0;
  const weight = (rows: number, columns: number) => drawn(device, [rows, columns], ++seed, 0.1);
  const vector = (size: number, value: number) => device.tensor(new Float32Array(size).fill(value));
  const norm = () => ({ weight: vector(d, 1), bias: vector(d, 0) });
  const linear = (outputs: number, inputs: number) => ({ weight: weight(outputs, inputs), bias: vector(outputs, 0) });
  return {
    norm1: norm(),
    attn: { in_proj_weight: weight(3 * d, d), in_proj_bias: vector(3 * d, 0), out_proj: linear(d, d) },
    norm2: norm(),
    mlp: { 0: linear(4 * d, d), 2: linear(d, 4 * d) },
  };
}

export interface BlockBatch {
  readonly x: Tensor;
  readonly y: Tensor;
}

export function blockBatch(device: Device, batch: number, seed = 50): BlockBatch {
  const shape = [batch, blockSizes.tokens, blockSizes.width];
  return { x: drawn(device, shape, seed), y: drawn(device, shape, seed + 1) };
}

function drawn(device: Device, shape: readonly number[], seed: number, deviation = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return device.tensor(
    hostNormal(key(seed), size).map((x) => x * deviation),
    { shape },
  );
}

export const blockOptimizer = adamw({ learningRate: 1e-3, weightDecay: 0.01 });

/** Mean squared error and AdamW, compiled; the old state is donated. */
export function blockStep(device: Device) {
  return device.compile(
    (state: TrainState<BlockParams>, { x, y }: BlockBatch) => {
      const [loss, gradients] = valueAndGrad((params: BlockParams) => mse(block(params, x), y))(state.params);
      return { state: blockOptimizer.update(state, gradients), loss };
    },
    { donate: [0] },
  );
}
