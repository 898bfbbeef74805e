// Outside of bundles for browsers: the codecs and text encoders of @paris/encoders are loaded where a model names them.
import type { Codec, LazyArchitecture, TextEncoder } from '@paris/model';

const autoencoder = () => import('@paris/encoders/autoencoder');

export const codecs: readonly LazyArchitecture<Codec>[] = [
  { architecture: 'autoencoder-kl', load: async () => (await autoencoder()).autoencoderKL },
  { architecture: 'tiny-autoencoder', load: async () => (await autoencoder()).tinyAutoencoder },
];

export const textEncoders: readonly LazyArchitecture<TextEncoder>[] = [
  { architecture: 'clip', load: async () => (await import('@paris/encoders/clip')).clip },
];
