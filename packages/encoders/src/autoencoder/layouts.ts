// Other people's names for the same tensors.
import { type KeyMap, renaming } from '@paris/model';

/** AutoencoderKL as diffusers wrote it before 0.16, sd-vae-ft-mse among them: other names in the attention of the middle. */
export const oldAttentionLayout: KeyMap = {
  name: 'an older AutoencoderKL',
  pieces: renaming([
    [/\.to_q\./, '.query.'],
    [/\.to_k\./, '.key.'],
    [/\.to_v\./, '.value.'],
    [/\.to_out\.0\./, '.proj_attn.'],
  ]),
};

/**
 * The tiny autoencoders' own files. Encoder and decoder are a file each, whose keys begin with a place: put `encoder.` and
 * `decoder.` before them. In the decoder the clamp counts as a place.
 */
export const taesdLayout: KeyMap = {
  name: 'TAESD',
  pieces: (name) => {
    const key = name.replace(/^(encoder|decoder)\.layers\.(\d+)/, (_, half: string, place: string) => {
      return `${half}.${Number(place) + (half === 'decoder' ? 1 : 0)}`;
    });
    return [{ key, parts: 1 }];
  },
};
