import type { Tensor } from '@paris/tensor';
import { type DefinedArchitecture, defineArchitecture } from '../contracts/architecture.js';
import type { Codec } from '../contracts/codec.js';

/** Pixel space: the pictures are the latents. The architecture named `identity`. */
export const identityCodec: DefinedArchitecture<object, Codec<Record<string, Tensor>>, Codec> = defineArchitecture({
  architecture: 'identity',
  parseConfig: () => ({}),
  create: (): Codec<Record<string, Tensor>> => ({
    latentShape: (picture) => picture,
    init: () => ({}),
    encode: (_, images) => images,
    decode: (_, latents) => latents,
  }),
});
