// The layouts of other public diffusion transformers. Their networks are configs of ours; only names and packings differ.
import { type KeyMap, type RenamingRule, renaming } from '@paris/model';

/** The same in facebookresearch/DiT and PixArt-α. timm's fused qkv is packed as PyTorch's in_proj. */
const common: readonly RenamingRule[] = [
  [/^patch_embed\./, 'x_embedder.proj.'],
  [/^time_embed\./, 't_embedder.'],
  [/^layers\.(\d+)\.attn\.in_proj_(weight|bias)$/, 'blocks.$1.attn.qkv.$2'],
  [/^layers\.(\d+)\.attn\.out_proj\./, 'blocks.$1.attn.proj.'],
  [/^layers\.(\d+)\.mlp\.0\./, 'blocks.$1.mlp.fc1.'],
  [/^layers\.(\d+)\.mlp\.2\./, 'blocks.$1.mlp.fc2.'],
];
const blocks: RenamingRule = [/^layers\./, 'blocks.'];

/** The released Paris experts' and this package's own. */
export const parisLayout: KeyMap = { name: 'Paris', pieces: renaming([]) };

/**
 * facebookresearch/DiT (https://arxiv.org/abs/2212.09748): class labels, `modulation: 'zero'`, `learnSigma: true`,
 * `layerNormEps: 1e-6`, times of 1000 steps (`timeScale: 999`).
 */
export const facebookLayout: KeyMap = {
  name: 'facebookresearch/DiT',
  pieces: renaming([...common, [/^label_embed\.weight$/, 'y_embedder.embedding_table.weight'], blocks]),
};

/**
 * PixArt-α (https://arxiv.org/abs/2310.00426): text embeddings, `modulation: 'single'`, `textProjection: 'mlp'`,
 * `learnSigma: true`, `layerNormEps: 1e-6`. Its checkpoints carry the embedding of the empty caption,
 * `y_embedder.y_embedding`, which belongs to the text side.
 */
export const pixartLayout: KeyMap = {
  name: 'PixArt-α',
  pieces: renaming([
    ...common,
    [/^text_proj\.0\./, 'y_embedder.y_proj.fc1.'],
    [/^text_proj\.2\./, 'y_embedder.y_proj.fc2.'],
    [
      /^layers\.(\d+)\.cross_attn\.in_proj_(weight|bias)$/,
      [
        { key: 'blocks.$1.cross_attn.q_linear.$2', parts: 1 },
        { key: 'blocks.$1.cross_attn.kv_linear.$2', parts: 2 },
      ],
    ],
    [/^layers\.(\d+)\.cross_attn\.out_proj\./, 'blocks.$1.cross_attn.proj.'],
    blocks,
  ]),
  ignored: ['y_embedder.y_embedding'],
};
