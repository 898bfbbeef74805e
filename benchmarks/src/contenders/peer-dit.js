// The same DiT for the peers, over what both have. `ops` says how each of them calls it; weights are [in, out] there.
import { sizeOf } from '../data.js';
import { ditWeights } from '../rows.js';

/** Parameters by key with matrices transposed, as the peers' own dense layers hold them. */
export function peerWeights(shapes) {
  return ditWeights(shapes).map(({ path, shape, data }) => {
    if (shape.length < 2 || path === 'pos_embed') return { path, shape, data };
    const rows = shape[0];
    const columns = sizeOf(shape) / rows;
    const transposed = Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
    return { path, shape: [columns, rows], data: transposed };
  });
}

/** (parameters, latents [B, C, S, S], time [B]) → [B, C, S, S] */
export function ditOver(ops, { batch, config }) {
  const { channels, patchSize: p, inputSize, hiddenSize: d, depth, heads, layerNormEps } = config;
  const side = inputSize / p;
  const tokens = side * side;
  const frequencies = Float32Array.from({ length: 128 }, (_, i) => Math.exp((-Math.log(10_000) * i) / 128));

  return (params, latents, time) => {
    const linear = (x, name) => ops.linear(x, params[`${name}.weight`], params[`${name}.bias`]);
    const modulated = (x, shift, scale) =>
      ops.add(ops.mul(ops.norm(x, layerNormEps), ops.add(scale, ops.constant([1], [1]))), shift);
    const modulations = (name, count) =>
      ops.split(ops.reshape(linear(active, `${name}.adaLN_modulation.1`), [batch, count, d]), count, 1);

    const patches = ops.transpose(ops.reshape(latents, [batch, channels, side, p, side, p]), [0, 2, 4, 1, 3, 5]);
    let x = linear(ops.reshape(patches, [batch, tokens, channels * p * p]), 'patch_embed');
    x = ops.add(x, params.pos_embed); // [B, N, d]

    const angles = ops.mul(ops.reshape(time, [batch, 1]), ops.constant(frequencies, [1, 128]));
    const waves = ops.concat([ops.cos(angles), ops.sin(angles)], 1); // [B, 256]
    const active = ops.silu(linear(ops.silu(linear(waves, 'time_embed.mlp.0')), 'time_embed.mlp.2')); // [B, d]

    for (let i = 0; i < depth; i++) {
      const [shiftA, scaleA, gateA, shiftM, scaleM, gateM] = modulations(`layers.${i}`, 6); // each [B, 1, d]
      const qkv = ops.linear(
        modulated(x, shiftA, scaleA),
        params[`layers.${i}.attn.in_proj_weight`],
        params[`layers.${i}.attn.in_proj_bias`],
      );
      const [q, k, v] = ops.split(qkv, 3, 2).map((one) => ops.reshape(one, [batch, tokens, heads, d / heads]));
      const attended = ops.reshape(ops.attention(q, k, v), [batch, tokens, d]);
      x = ops.add(x, ops.mul(linear(attended, `layers.${i}.attn.out_proj`), gateA));
      const hidden = ops.gelu(linear(modulated(x, shiftM, scaleM), `layers.${i}.mlp.0`));
      x = ops.add(x, ops.mul(linear(hidden, `layers.${i}.mlp.2`), gateM));
    }

    const [shift, scale] = modulations('final_layer', 2);
    const out = linear(modulated(x, shift, scale), 'final_layer.linear'); // [B, N, p·p·C]
    const pixels = ops.transpose(ops.reshape(out, [batch, side, side, p, p, channels]), [0, 5, 1, 3, 2, 4]);
    return ops.reshape(pixels, [batch, channels, inputSize, inputSize]);
  };
}
