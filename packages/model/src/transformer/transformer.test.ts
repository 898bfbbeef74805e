// What transformers over pictures share, against PyTorch and the formulas in NumPy (tools/fixtures/nn.py).
import { declareLayerSuite } from '../../../tensor/src/testing/layer-suite.testing.js';
import * as transformer from './index.js';

declareLayerSuite<transformer.PatchEmbedParams>('../../model/fixtures/transformer', {
  patchEmbed: { apply: (params, [x]) => transformer.patchEmbed(params, x!) },
  unpatchify: {
    apply: (_, [x], { patchSize, channels, height, width }) =>
      transformer.unpatchify(x!, { patchSize: patchSize!, channels: channels!, height: height!, width: width! }),
  },
  // An f32 angle of 1000 is itself only good to 6e-5, PyTorch's as well.
  timestepEmbedding: {
    apply: (_, [t], { dimension }) => transformer.timestepEmbedding(t!, dimension),
    tolerance: 2e-4,
  },
  sinCosPositions2d: {
    apply: (_, __, { dimension, height, width }) => transformer.sinCosPositions2d(dimension!, height!, width!),
  },
});
