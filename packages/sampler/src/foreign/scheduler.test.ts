import { ddpmPath } from '@paris/model';
import { describe, expect, it } from 'vitest';
import { trainingOf } from './scheduler.js';

const read = (config: Record<string, unknown>) => trainingOf(config, 'scheduler_config.json');
const even = (length: number, from: number, to: number) =>
  Array.from({ length }, (_, i) => from + ((to - from) * i) / (length - 1));

describe('a scheduler of diffusers', () => {
  it.each([
    [{}, 'epsilon', 'ddpm-linear'],
    [
      { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012, prediction_type: 'v_prediction' },
      'v',
      'ddpm-scaled-linear',
    ],
    [{ beta_schedule: 'squaredcos_cap_v2', beta_start: 0.0001, prediction_type: 'sample' }, 'sample', 'ddpm-cosine'],
    [{ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }, 'v', 'ddpm-linear:zero-snr'],
    [
      { trained_betas: even(1000, 0.0001, 0.02).map(Math.fround) },
      'epsilon',
      /^ddpm-linear:0.00009999\d+:0.01999\d+:1000$/,
    ],
    [{ trained_betas: even(100, 0.03, 0.1).map((root) => root ** 2) }, 'epsilon', /^ddpm-scaled-linear:.*:100$/],
  ])('%j', (config, prediction, path) => {
    const { objective, shift } = read(config);
    expect(objective.prediction).toBe(prediction);
    expect(objective.path).toMatch(path);
    expect(shift).toBe(1);
  });

  it('tells networks steps as they were trained on', () => {
    expect(read({ num_train_timesteps: 500 }).times).toEqual({ timeScale: 499, timeRounding: 'nearest' });
    expect(read({ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 })).toEqual({
      objective: { prediction: 'velocity', path: 'linear' },
      times: { timeScale: 1000, timeRounding: 'none' },
      shift: 3,
    });
  });

  it('finds the betas of the cosine in a list', () => {
    const f = (i: number) => Math.cos((Math.PI / 2) * ((i / 200 + 0.008) / 1.008)) ** 2;
    const listed = Array.from({ length: 200 }, (_, i) => Math.fround(Math.min(1 - f(i + 1) / f(i), 0.999)));
    expect(read({ trained_betas: listed }).objective.path).toBe(ddpmPath({ betas: 'cosine', steps: 200 }).name);
  });

  it.each([
    [{ beta_schedule: 'sigmoid' }, 'scheduler_config.json: beta_schedule is "sigmoid", which is not read here.'],
    [{ prediction_type: 'score' }, 'scheduler_config.json: prediction_type is "score", which is not read here.'],
    [
      { trained_betas: [0.1, 0.3, 0.2, 0.4] },
      'trained_betas is [0.1,0.3,0.2,0.4], whose numbers are neither linear, scaled-linear nor cosine: no path has them.',
    ],
    [{ trained_betas: even(1000, 0.5, 0.1) }, 'trained_betas is [0.5,'],
    [{ trained_betas: 'none' }, 'trained_betas is "none"'],
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler', use_dynamic_shifting: true }, 'use_dynamic_shifting is true'],
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 0 }, 'shift is 0'],
    [{ num_train_timesteps: 1 }, 'there are 1 steps'],
  ])('%j is one sentence', (config, sentence) => {
    expect(() => read(config)).toThrow(sentence);
  });
});
