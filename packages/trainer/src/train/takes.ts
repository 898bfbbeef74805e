// Whether a network takes what the data has: asked before a run begins, by building its graph; nothing of it runs.
import type { Condition, Expert, InputLimits, Router } from '@paris/model';
import { key, type Tensor, zeros } from '@paris/tensor';
import { type DataFormat, networkInput } from '../data/formats.js';
import { DataError } from '../errors.js';
import type { ConditionSource } from './conditions.js';

/** @throws DataError, with what to do, if the network is for other latents or another condition */
export function assertTakes(
  what: 'expert' | 'router',
  network: Expert | Router,
  format: DataFormat,
  source: ConditionSource,
): void {
  const { channels, size } = networkInput(format);
  const { latent } = network as InputLimits;
  const has = format.latents ? 'latents' : 'pictures';
  if (latent && (latent.channels !== channels || latent.height !== size || latent.width !== size)) {
    const wants = `the ${what} takes ${latent.channels} × ${latent.height} × ${latent.width}`;
    const is = `${format.latents ? 'latents' : 'no latents but pictures'} of ${channels} × ${size} × ${size}`;
    const how = format.latents ? 'without --codec' : 'with --codec';
    throw new DataError('train', `${wants}, and the data has ${is}. Give a network for these, or prepare ${how}.`);
  }
  const condition = exampleOf(source);
  const input = { latents: zeros([1, channels, size, size]), time: zeros([1]), ...(condition && { condition }) };
  try {
    const params = network.init(key(0));
    if ('apply' in network) network.apply(params, input);
    else network.logits(params, input);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^\[[^\]]*\] /, '').replace(/\.$/, '');
    const given = condition ? `${has} with a condition of kind '${condition.kind}'` : `${has} alone`;
    throw new DataError('train', `the ${what} does not take the data's ${given}: ${why}.`, { cause });
  }
}

/** The condition of one picture, as batches have it. */
function exampleOf({ kind, format }: ConditionSource): Condition | undefined {
  const { maxTokens, text } = format;
  const u32 = (shape: number[]): Tensor => zeros(shape, 'u32');
  if (kind === 'tokens') return { kind, ids: u32([1, maxTokens]) };
  if (kind === 'label') return { kind, label: u32([1]) };
  if (kind === 'none') return undefined;
  const mask = text!.masked && { mask: zeros([1, text!.length], 'bool') };
  return { kind, tokens: zeros([1, text!.length, text!.width]), ...mask };
}
