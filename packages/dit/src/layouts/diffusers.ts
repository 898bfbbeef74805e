// The layouts of diffusers (https://github.com/huggingface/diffusers), which gives queries, keys and values a tensor each.
import { type KeyMap, type Piece, type RenamingRule, renaming } from '@paris/model';

const thirds = (prefix: string): readonly Piece[] =>
  ['q', 'k', 'v'].map((side) => ({ key: `${prefix}.to_${side}.$2`, parts: 1 }));

const blocks: readonly RenamingRule[] = [
  [/^patch_embed\./, 'pos_embed.proj.'],
  [/^layers\.(\d+)\.attn\.in_proj_(weight|bias)$/, thirds('transformer_blocks.$1.attn1')],
  [/^layers\.(\d+)\.attn\.out_proj\./, 'transformer_blocks.$1.attn1.to_out.0.'],
  [/^layers\.(\d+)\.cross_attn\.in_proj_(weight|bias)$/, thirds('transformer_blocks.$1.attn2')],
  [/^layers\.(\d+)\.cross_attn\.out_proj\./, 'transformer_blocks.$1.attn2.to_out.0.'],
  [/^layers\.(\d+)\.mlp\.0\./, 'transformer_blocks.$1.ff.net.0.proj.'],
  [/^layers\.(\d+)\.mlp\.2\./, 'transformer_blocks.$1.ff.net.2.'],
];

/** Positions are fixed waves; some versions store them all the same. */
const stored = 'pos_embed.pos_embed';

/**
 * DiT (https://arxiv.org/abs/2212.09748) as `DiTTransformer2DModel`. Every block has its own copy of the time and class
 * embeddings, all alike: the first is read.
 */
export const diffusersDiTLayout: KeyMap = {
  name: "diffusers' DiT",
  pieces: renaming([
    ...blocks,
    [/^time_embed\.mlp\.0\./, 'transformer_blocks.0.norm1.emb.timestep_embedder.linear_1.'],
    [/^time_embed\.mlp\.2\./, 'transformer_blocks.0.norm1.emb.timestep_embedder.linear_2.'],
    [/^label_embed\.weight$/, 'transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight'],
    [/^layers\.(\d+)\.adaLN_modulation\.1\./, 'transformer_blocks.$1.norm1.linear.'],
    [/^final_layer\.adaLN_modulation\.1\./, 'proj_out_1.'],
    [/^final_layer\.linear\./, 'proj_out_2.'],
  ]),
  ignored: [stored, /^transformer_blocks\.[1-9]\d*\.norm1\.emb\./],
};

/** PixArt-α and -Σ (https://arxiv.org/abs/2310.00426, https://arxiv.org/abs/2403.04692) as `PixArtTransformer2DModel`. */
export const diffusersPixArtLayout: KeyMap = {
  name: "diffusers' PixArt",
  pieces: renaming([
    ...blocks,
    [/^time_embed\.mlp\.0\./, 'adaln_single.emb.timestep_embedder.linear_1.'],
    [/^time_embed\.mlp\.2\./, 'adaln_single.emb.timestep_embedder.linear_2.'],
    [/^t_block\.1\./, 'adaln_single.linear.'],
    [/^text_proj\.0\./, 'caption_projection.linear_1.'],
    [/^text_proj\.2\./, 'caption_projection.linear_2.'],
    [/^layers\.(\d+)\.scale_shift_table$/, 'transformer_blocks.$1.scale_shift_table'],
    [/^final_layer\.linear\./, 'proj_out.'],
    [/^final_layer\.scale_shift_table$/, 'scale_shift_table'],
  ]),
  ignored: [stored, 'caption_projection.y_embedding'],
};
