// bfloat16, the upper half of an f32, as bits. https://cloud.google.com/tpu/docs/bfloat16

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The value of a bfloat16 bit pattern. */
export function fromBfloat(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/** The nearest bfloat16, ties to even. */
export function toBfloat(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // NaN stays NaN
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
