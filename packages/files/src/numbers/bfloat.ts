// bfloat16, the upper half of an f32, as bits. https://cloud.google.com/tpu/docs/bfloat16

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The nearest bfloat16, ties to even. */
export function toBfloat(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // NaN stays NaN
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** All numbers of an array of bfloat16s. */
export function fromBfloats(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(bits.length);
  const words = new Uint32Array(numbers.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return numbers;
}

/** {@link toBfloat} of each number. */
export function toBfloats(numbers: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) bits[i] = toBfloat(numbers[i]!);
  return bits;
}
