// What the peers compute, and plain float64 references of it.
const spread = (count, factor) => Array.from({ length: count }, (_, i) => (((i * factor) % 17) - 8) / 8);
const range = (count) => Array.from({ length: count }, (_, i) => i);

/** a [5, 7], b [7, 6], image [1, 6, 6, 2] with its channels last, filter [3, 3, 2, 4]. */
export const data = { a: spread(35, 5), b: spread(42, 7), image: spread(72, 11), filter: spread(72, 3) };
export const INDICES = [3, 0, 4];

const row = (x, i, width) => x.slice(i * width, (i + 1) * width);
const sum = (x) => x.reduce((total, value) => total + value, 0);
const { a, b, image, filter } = data;

const product = range(30).map((at) => sum(range(7).map((k) => a[Math.floor(at / 6) * 7 + k] * b[k * 6 + (at % 6)])));

function softmax(x) {
  const powers = x.map((value) => Math.exp(value - Math.max(...x)));
  return powers.map((power) => power / sum(powers));
}

function normalized(x) {
  const mean = sum(x) / x.length;
  const variance = sum(x.map((value) => (value - mean) ** 2)) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
}

/** 3 × 3, without padding: [1, 4, 4, 4]. */
const convolved = range(64).map((at) => {
  const [y, x, out] = [Math.floor(at / 16), Math.floor(at / 4) % 4, at % 4];
  const taps = range(18).map((tap) => {
    const [v, u, channel] = [Math.floor(tap / 6), Math.floor(tap / 2) % 3, tap % 2];
    return image[((y + v) * 6 + x + u) * 2 + channel] * filter[((v * 3 + u) * 2 + channel) * 4 + out];
  });
  return sum(taps);
});

/** d Σ tanh(a b)² / da = (2 tanh (1 − tanh²)) bᵀ */
const gradient = range(35).map((at) => {
  const [i, k] = [Math.floor(at / 7), at % 7];
  const along = (j) => 2 * Math.tanh(product[i * 6 + j]) * (1 - Math.tanh(product[i * 6 + j]) ** 2);
  return sum(range(6).map((j) => along(j) * b[k * 6 + j]));
});

const rows = range(5).map((i) => row(a, i, 7));
const columns = range(7).map((k) => rows.map((values) => values[k]));

export const expected = {
  product,
  softmax: rows.flatMap(softmax),
  'sum of rows': rows.map(sum),
  'mean of columns': columns.map((column) => sum(column) / 5),
  'largest of columns': columns.map((column) => Math.max(...column)),
  'place of the largest of rows': rows.map((values) => values.indexOf(Math.max(...values))),
  convolution: convolved,
  gradient,
  normalization: rows.flatMap(normalized),
  transpose: columns.flat(),
  gather: INDICES.flatMap((i) => rows[i]),
  'running sum': rows.flatMap((values) => values.map((_, k) => sum(values.slice(0, k + 1)))),
  functions: a.map((x) => Math.exp(x) * Math.sin(x) + Math.log(x * x + 1) + Math.sqrt(Math.abs(x))),
  choice: a.map((x) => (x > 0 ? x : 0.1 * x)),
  joined: rows.flatMap((values) => [...values, ...values]),
  power: a.map((x) => (x * x + 0.5) ** 1.5),
};
