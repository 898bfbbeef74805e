// What diffusers' scheduler_config.json says of how a model was trained: its noise, and what it predicts.
import { type DdpmOptions, ddpmPath, type Objective, type Prediction } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import { nameBetas } from './name-betas.js';

const schedules: Readonly<Record<string, DdpmOptions['betas']>> = {
  linear: 'linear',
  scaled_linear: 'scaled-linear',
  squaredcos_cap_v2: 'cosine',
};

const predictions: Readonly<Record<string, Prediction>> = { epsilon: 'epsilon', sample: 'sample', v_prediction: 'v' };

/** How a model was trained. */
export interface ForeignTraining {
  readonly objective: Objective;
  /** How its network is given the time. */
  readonly times: { readonly timeScale: number; readonly timeRounding: 'none' | 'nearest' };
  /** The time shift s that it is sampled with (arXiv 2403.03206, eq. 23); 1 for none. */
  readonly shift: number;
}

/**
 * The objective of a model with this scheduler.
 * @throws CheckpointError for noise or a prediction that is not known here, with the field's name
 */
export function trainingOf(config: Readonly<Record<string, unknown>>, path: string): ForeignTraining {
  const refuse = (field: string, why = 'which is not read here'): never => {
    const value = JSON.stringify(config[field]);
    const shown = value.length > 60 ? `${value.slice(0, 57)}…` : value;
    throw new CheckpointError('loadPipeline', `${path}: ${field} is ${shown}, ${why}.`);
  };
  const number = (field: string, fallback: number) => {
    const value = config[field] ?? fallback;
    return typeof value === 'number' && Number.isFinite(value) ? value : refuse(field);
  };
  if (/FlowMatch/.test(String(config._class_name))) {
    if (config.use_dynamic_shifting) refuse('use_dynamic_shifting');
    const shift = number('shift', 1);
    const times = { timeScale: number('num_train_timesteps', 1000), timeRounding: 'none' } as const;
    return { objective: { prediction: 'velocity', path: 'linear' }, times, shift: shift > 0 ? shift : refuse('shift') };
  }
  const noise = noiseOf(config, number, refuse);
  const { name } = ddpmPath({ ...noise, zeroSnr: config.rescale_betas_zero_snr === true });
  const times = { timeScale: noise.steps - 1, timeRounding: 'nearest' } as const;
  const prediction = predictions[String(config.prediction_type ?? 'epsilon')] ?? refuse('prediction_type');
  return { objective: { prediction, path: name }, times, shift: 1 };
}

function noiseOf(
  config: Readonly<Record<string, unknown>>,
  number: (field: string, fallback: number) => number,
  refuse: (field: string, why?: string) => never,
): DdpmOptions & { readonly steps: number } {
  if (config.trained_betas) {
    const found = nameBetas(config.trained_betas);
    return (
      found ?? refuse('trained_betas', 'whose numbers are neither linear, scaled-linear nor cosine: no path has them')
    );
  }
  const betas = schedules[String(config.beta_schedule ?? 'linear')] ?? refuse('beta_schedule');
  const steps = number('num_train_timesteps', 1000);
  if (betas === 'cosine') return { betas, steps };
  return { betas, steps, start: number('beta_start', 0.0001), end: number('beta_end', 0.02) };
}
