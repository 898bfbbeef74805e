// Every layer against PyTorch's own: forward, and the gradient of every input and every parameter.
import { declareLayerSuite } from '../testing/layer-suite.testing.js';
import * as nn from './index.js';

// A layer's parameters come from JSON: their type is what the layer says it is.
type Params = nn.LinearParams & nn.LayerNormParams & nn.MlpParams & nn.MultiHeadAttentionParams;

declareLayerSuite<Params>('nn', {
  linear: { apply: (params, [x]) => nn.linear(params, x!) },
  layerNorm: { apply: (params, [x], { eps }) => nn.layerNorm(params, x!, { eps: eps! }) },
  rmsNorm: { apply: (params, [x], { eps }) => nn.rmsNorm(params, x!, { eps: eps! }) },
  groupNorm: { apply: (params, [x], { groups, eps }) => nn.groupNorm(params, x!, { groups: groups!, eps: eps! }) },
  embedding: { apply: (params, [ids]) => nn.embedding(params, ids!) },
  mlp: { apply: (params, [x]) => nn.mlp(params, x!) },
  multiHeadAttention: {
    apply: (params, [x, context, mask], { heads }) =>
      nn.multiHeadAttention(params, x!, {
        heads: heads!,
        ...(context ? { context } : {}),
        ...(mask ? { mask } : {}),
      }),
  },
});
