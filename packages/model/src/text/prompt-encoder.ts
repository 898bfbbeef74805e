import type { Device, Tensor, TreeOf } from '@paris/tensor';
import {
  type Condition,
  conditionOfTensors,
  conditionTensors,
  disposeCondition,
  gatherCondition,
} from '../contracts/condition.js';
import type { PromptEncoder, TextEncoder, Tokens } from '../contracts/text.js';
import { type Params, toFlat, toTree } from '../params.js';
import type { Vocabulary } from './vocabulary.js';
import { wordListOf } from './word-list-encoder.js';

/**
 * A text encoder with its weights, as a pipeline asks it. The empty prompt, which guidance needs for every batch, is encoded
 * once and kept until `dispose()`; the weights stay the caller's.
 * @param params - the encoder's parameters on the device
 */
export function promptEncoderOf(device: Device, encoder: TextEncoder, params: TreeOf<Tensor>): PromptEncoder {
  const flat = toFlat(params);
  const network = device.compile((params: Params, tokens: Tokens) =>
    conditionTensors(encoder.encode(toTree(params), tokens)),
  );
  const run = async (prompts: readonly string[]): Promise<Condition> => {
    const { ids, length, mask } = encoder.tokenize(prompts);
    const shape = [prompts.length, length];
    const tokens: Tokens = {
      ids: device.tensor(ids, { shape, dtype: 'u32' }),
      ...(mask ? { mask: device.tensor(mask, { shape, dtype: 'bool' }) } : {}),
    };
    // A word list hands its ids on: nothing is computed.
    if (Object.keys(flat).length === 0) return encoder.encode({}, tokens);
    try {
      return conditionOfTensors(await network(flat, tokens));
    } finally {
      tokens.ids.dispose();
      tokens.mask?.dispose();
    }
  };
  let empty: Promise<Condition> | undefined;
  return {
    async encode(prompts) {
      if (prompts.length === 0 || prompts.some((prompt) => prompt !== '')) return run(prompts);
      empty ??= run(['']);
      const row = await empty.catch((error) => {
        empty = undefined;
        throw error;
      });
      const rows = device.tensor(new Uint32Array(prompts.length), { shape: [prompts.length], dtype: 'u32' });
      const condition = gatherCondition(row, rows);
      await device.run(conditionTensors(condition));
      rows.dispose();
      return condition;
    },
    dispose() {
      empty?.then(disposeCondition, () => undefined);
      empty = undefined;
    },
  };
}

/** Words looked up in a list; unknown ones share an id, and everything beyond `maxTokens` is cut. */
export function wordEncoder(device: Device, vocabulary: Vocabulary): PromptEncoder {
  return promptEncoderOf(device, wordListOf(vocabulary), {});
}
