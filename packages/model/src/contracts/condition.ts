import type { Tensor } from '@paris/tensor';

/** What a picture is to show, as experts take it. The kinds are those that an expert's config names. */
export type Condition =
  /** Word ids that the expert embeds itself: u32 [B, L]; 0 is padding, all zeros is "anything". mask: bool [B, L]. */
  | { readonly kind: 'tokens'; readonly ids: Tensor; readonly mask?: Tensor }
  /** A text encoder's output: [B, L, D], with bool mask [B, L]. */
  | { readonly kind: 'embeddings'; readonly tokens: Tensor; readonly mask?: Tensor }
  /** A class: u32 [B]; the number of classes stands for "anything". */
  | { readonly kind: 'label'; readonly label: Tensor };
