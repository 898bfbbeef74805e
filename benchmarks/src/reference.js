// What a row must give, in float64: products and attention computed here, element by element as they are asked for; the
// DiTs' from their fixtures (src/dit-reference.js).
import { readFileSync } from 'node:fs';
import { sizeOf } from './data.js';
import { inputsOf } from './rows.js';

/**
 * A function that gives for one set of inputs, after `steps` earlier works, the outputs to look at: by name a map from
 * index to value, or `{ size, at(index) }`.
 */
export function referenceOf(row) {
  const training = { 'dit train step': ditTrainStep, 'dit first step': ditTrainStep };
  const makers = { matmul: product, attention, 'dit forward': ditForward, ...training, dispatches };
  return makers[row.work](row);
}

/** Indices of every output to look at: the corners and others by chance, each time others. */
export function picksOf(reference, count = 48) {
  return Object.fromEntries(
    Object.entries(reference).map(([name, output]) => {
      if (output instanceof Map) return [name, [...output.keys()]];
      const chance = Array.from({ length: count }, () => Math.floor(Math.random() * output.size));
      return [name, [0, output.size - 1, ...chance]];
    }),
  );
}

/** The largest difference, over 1 + |expected|. @throws Error at the first element that is off by more than the tolerance */
export function compare(reference, picks, elements, tolerance) {
  let largest = 0;
  for (const [name, indices] of Object.entries(picks)) {
    indices.forEach((index, i) => {
      const output = reference[name];
      const expected = output instanceof Map ? output.get(index) : output.at(index);
      const got = elements[name][i];
      const error = Math.abs(got - expected) / (1 + Math.abs(expected));
      if (!(error <= tolerance)) throw new Error(`wrong: ${name}[${index}] is ${got}, must be ${expected}`);
      largest = Math.max(largest, error);
    });
  }
  return largest;
}

function product(row) {
  const { batch, m, n, k, layout, epilogue } = row;
  return (set) => {
    const { a, b, bias, gate, residual } = inputsOf(row, set);
    const at = (index) => {
      const [matrix, i, j] = [Math.floor(index / (m * n)), Math.floor(index / n) % m, index % n];
      let sum = 0;
      for (let l = 0; l < k; l++) {
        const left = layout === 'aᵀ·b' ? l * m + i : i * k + l;
        const right = layout === 'a·bᵀ' ? j * k + l : l * n + j;
        sum += a.data[matrix * m * k + left] * b.data[matrix * k * n + right];
      }
      if (epilogue) sum += bias.data[j];
      if (epilogue === 'gelu') return 0.5 * sum * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (sum + 0.044715 * sum ** 3)));
      return epilogue === 'gate' ? residual.data[i * n + j] + sum * gate.data[j] : sum;
    };
    return { out: { size: batch * m * n, at } };
  };
}

/** https://arxiv.org/abs/2205.14135, appendix B.2, with all probabilities of a row at once. */
function attention(row) {
  const { tokens, keys, heads, headDim: d, backward } = row;
  const known = new Map();
  const whole = (set) => {
    const { q, k, v, cotangent } = inputsOf(row, set);
    const [out, dq, dk, dv] = [q, q, k, k].map(({ shape }) => new Float64Array(sizeOf(shape)));
    const dot = (x, i, y, j) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += x[i + c] * y[j + c];
      return sum;
    };
    const accumulate = (sum, i, factor, x, j) => {
      for (let c = 0; c < d; c++) sum[i + c] += factor * x[j + c];
    };
    for (let h = 0; h < heads; h++) {
      const start = (token) => (token * heads + h) * d;
      for (let i = 0; i < tokens; i++) {
        const own = start(i);
        const scores = Float64Array.from({ length: keys }, (_, j) => dot(q.data, own, k.data, start(j)) / Math.sqrt(d));
        const highest = scores.reduce((a, b) => Math.max(a, b));
        const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
        const weights = scores.map((score) => Math.exp(score - highest) / total);
        weights.forEach((weight, j) => {
          accumulate(out, own, weight, v.data, start(j));
        });
        if (!backward) continue;
        const delta = dot(cotangent.data, own, out, own);
        weights.forEach((weight, j) => {
          const slope = (weight * (dot(cotangent.data, own, v.data, start(j)) - delta)) / Math.sqrt(d);
          accumulate(dq, own, slope, k.data, start(j));
          accumulate(dk, start(j), slope, q.data, own);
          accumulate(dv, start(j), weight, cotangent.data, own);
        });
      }
    }
    const output = (elements) => ({ size: elements.length, at: (index) => elements[index] });
    return backward ? { dq: output(dq), dk: output(dk), dv: output(dv) } : { out: output(out) };
  };
  return (set) => {
    if (!known.has(set)) known.set(set, whole(set));
    return known.get(set);
  };
}

const fixture = ({ dit }) => JSON.parse(readFileSync(new URL(`../fixtures/${dit.name}.json`, import.meta.url), 'utf8'));

function ditForward(row) {
  const outputs = fixture(row).forward.map((picked) => {
    return { out: new Map(Object.entries(picked).map(([index, value]) => [Number(index), value])) };
  });
  return (set) => outputs[set];
}

function ditTrainStep(row) {
  const { losses } = fixture(row);
  return (_, steps) => ({ loss: new Map([[0, losses[row.fresh ? 0 : steps]]]) });
}

/** A counter that each of the dispatches has added one to. */
function dispatches() {
  return (_, steps) => ({ count: new Map([[0, 1000 * (steps + 1)]]) });
}
