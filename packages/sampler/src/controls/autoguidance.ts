import type { Autoguidance } from '../pipeline/options.js';
import type { Parts, Settings } from '../pipeline/pipeline.js';
import type { Tools } from './controls.js';
import { mixDenoisers } from './mix-denoisers.js';

/** Sampling that leads away from a weaker model, see `Autoguidance`. @throws ValueError for a model that is no match */
export function autoguided(
  { device, index, path }: Parts,
  settings: Settings,
  { weaker, scale }: Autoguidance,
  { refuse }: Tools,
): Settings {
  if (!Number.isFinite(Math.fround(scale))) refuse(`autoguidance.scale is ${scale}. Give a number such as 2`);
  if (weaker.device !== device)
    refuse('autoguidance.weaker is on another device. Load it with { device: pipeline.device }');
  const [own, other] = [index.latent, weaker.index.latent].map((l) => `${l.channels}×${l.height}×${l.width}`);
  if (own !== other)
    refuse(`autoguidance.weaker has latents of ${other}, not ${own}. Give a model of the same latents`);
  if (weaker.index.path !== path.name)
    refuse(
      `autoguidance.weaker is sampled on the path ${weaker.index.path}, not ${path.name}. Give one of the same path`,
    );
  const mix = mixDenoisers(device);
  const { around, made, routingKey: key, signal } = settings;
  return {
    ...settings,
    made: (i) => ({ ...made(i), autoguidance: { scale, model: weaker.modelHash } }),
    around: async (run, batch) => {
      const { prompts, firstImage, owned } = batch;
      const strong = (await around?.(run, batch)) ?? run;
      const weak = await weaker.startUnguided(prompts, { key, firstImage, signal }, owned);
      const amounts = prompts.map(() => 1 - scale); // strong + (1 − scale)·(weak − strong)
      return {
        denoiser: mix(strong.denoiser, weak.denoiser, amounts, owned),
        startStep(step) {
          strong.startStep(step);
          weak.startStep(step);
        },
      };
    },
  };
}
