import { ValueError } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { parseDiTConfig } from './config.js';

const small = {
  inputSize: 16,
  channels: 3,
  patchSize: 4,
  hiddenSize: 64,
  depth: 3,
  heads: 4,
  condition: { kind: 'none' },
};

describe('parseDiTConfig', () => {
  it('fills in the defaults of the released model', () => {
    expect(parseDiTConfig({ architecture: 'dit', ...small })).toEqual({
      ...small,
      objective: { prediction: 'velocity', path: 'linear' },
      mlpRatio: 4,
      modulation: 'single',
      textProjection: 'linear',
      learnSigma: false,
      timeScale: 1000,
      timeRounding: 'none',
      layerNormEps: 1e-5,
    });
  });

  it('gives back what it gave, through JSON', () => {
    const config = parseDiTConfig({ ...small, condition: { kind: 'tokens', vocabulary: 9, maxTokens: 8, width: 32 } });
    expect(parseDiTConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('lists every problem in one error', () => {
    const { depth: _, ...incomplete } = small;
    const parse = () => parseDiTConfig({ ...incomplete, heads: 0, chanels: 3, condition: { kind: 'smell' } });
    expect(parse).toThrow(ValueError);
    for (const word of ['depth', 'heads', 'chanels', 'condition']) expect(parse).toThrow(word);
  });

  it('refuses numbers that do not fit each other, all at once', () => {
    const parse = () => parseDiTConfig({ ...small, patchSize: 3, hiddenSize: 66 });
    expect(parse).toThrow(
      '[dit] the config does not describe a DiT: inputSize 16 is not a multiple of patchSize 3; ' +
        'hiddenSize 66 is not a multiple of heads 4; hiddenSize 66 is not a multiple of 4, which positions need.',
    );
  });

  it.each([null, 7, 'dit', []])('refuses %j', (json) => expect(() => parseDiTConfig(json)).toThrow(ValueError));

  it("refuses another architecture's config", () => {
    expect(() => parseDiTConfig({ ...small, architecture: 'unet' })).toThrow('architecture');
  });
});
