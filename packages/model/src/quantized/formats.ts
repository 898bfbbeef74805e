import type { QuantizedFormat } from '@paris/tensor/nn';

/** How weights are written: the formats of experts' matrices. */
export type WeightFormat = 'f32' | 'f16' | QuantizedFormat;

/** The names of the formats. */
export const weightFormats: readonly WeightFormat[] = ['f32', 'f16', 'q8', 'q4'];
