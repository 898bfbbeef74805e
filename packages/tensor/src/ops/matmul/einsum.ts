import { ShapeError, ValueError } from '../../errors.js';
import { isFloat } from '../../graph/dtype.js';
import { showShape, sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/op.js';

/** A tensor with a label for each axis. */
interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

/**
 * Einstein summation: letters name axes, axes of one letter run together, and those not in the output are summed.
 * `einsum('bnhd,bmhd->bhnm', q, k)`. A letter twice in one operand takes the diagonal; `...` means any leading
 * axes, which broadcast; without `->` the output has the letters that occur once, in alphabetical order. Operands are
 * combined from left to right, each pair as one matrix product (or a product of elements, where nothing is summed).
 * @throws ValueError if the equation is not valid; ShapeError if the tensors do not fit it.
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  const { terms, output } = parse(equation, tensors);
  checkSizes(terms, output);
  const operands = terms.map(diagonal).map((term) => withoutStretched(term, terms));
  let result = operands[0]!;
  operands.slice(1).forEach((next, i) => {
    const needed = new Set([...output, ...operands.slice(i + 2).flatMap(({ labels }) => labels)]);
    result = combine(result, next, needed);
  });
  const left = summed(result, (label) => output.includes(label));
  return arranged(left, output).x;
}

function parse(equation: string, tensors: readonly Tensor[]): { terms: Labelled[]; output: string[] } {
  const [left = '', right, ...more] = equation.replaceAll(' ', '').split('->');
  const parts = left.split(',');
  if (more.length > 0 || [...parts, right ?? ''].some((part) => !/^[a-z]*(\.\.\.)?[a-z]*$/i.test(part))) {
    throw new ValueError('einsum', `'${equation}' is no equation. Write letters for axes, as in 'ij,jk->ik'.`);
  }
  if (parts.length !== tensors.length) {
    const counts = `${parts.length} operands, got ${tensors.length} tensors`;
    throw new ValueError('einsum', `'${left}' has ${counts}. Give one each.`);
  }
  const terms = parts.map((part, i) => {
    const x = requireTensor('einsum', tensors[i]);
    const more = x.rank - part.replace('...', '').length;
    if (more < 0 || (more > 0 && !part.includes('...'))) {
      const got = `operand ${i} is ${showShape(x.shape)}`;
      throw new ShapeError('einsum', `${got}, and '${part}' names other axes. Name each one.`);
    }
    return { x, labels: spelled(part, more) };
  });
  const used = terms.flatMap(({ labels }) => labels);
  const stretched = [...new Set(used.filter((label) => /\d/.test(label)))].sort((a, b) => Number(b) - Number(a));
  const isOnce = (label: string) => /\D/.test(label) && used.indexOf(label) === used.lastIndexOf(label);
  const once = used.filter(isOnce);
  const output = right === undefined ? [...stretched, ...once.sort()] : spelled(right, stretched.length);
  const wrong = output.find((label, i) => !used.includes(label) || output.indexOf(label) !== i);
  if (wrong !== undefined) {
    const must = 'must be in an operand, and once in the output';
    throw new ValueError('einsum', `the output label ${wrong} ${must}. Got '${right}'.`);
  }
  return { terms, output };
}

/** The labels of a term. The axes of `...` are numbered from their end, since there they broadcast from. */
function spelled(part: string, more: number): string[] {
  const [before, after] = part.split('...') as [string, string?];
  if (after === undefined) return [...before];
  return [...before, ...Array.from({ length: more }, (_, i) => String(more - 1 - i)), ...after];
}

function checkSizes(terms: readonly Labelled[], output: readonly string[]): void {
  const sizes = new Map<string, number>();
  for (const { x, labels } of terms) {
    labels.forEach((label, i) => {
      const [size, known = size] = [x.shape[i]!, sizes.get(label)];
      const stretches = /\d/.test(label) && (size === 1 || known === 1);
      if (size !== known && !stretches) {
        const sizes = `${known} in one place and ${size} in another`;
        throw new ShapeError('einsum', `label ${label} is ${sizes}. They must agree.`);
      }
      sizes.set(label, size === 1 ? known : size);
    });
  }
  const lost = [...sizes.keys()].find((label) => /\d/.test(label) && !output.includes(label));
  if (lost) throw new ValueError('einsum', "an operand has '...' and the output has not. Write it there, too.");
}

/** The diagonals of labels that occur twice: of two axes of size n every (n + 1)-th element. */
function diagonal(term: Labelled): Labelled {
  const { x, labels } = term;
  const again = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (again < 0) return term;
  const first = labels.indexOf(labels[again]!);
  const rest = labels.flatMap((_, i) => (i === first || i === again ? [] : [i]));
  const n = x.shape[first]!;
  const flat = x.permute([...rest, first, again]).reshape([...rest.map((i) => x.shape[i]!), n * n]);
  const along = flat.slice([...rest.map(() => null), [0, n * n, n + 1]]);
  return diagonal({ x: along, labels: [...rest.map((i) => labels[i]!), labels[first]!] });
}

/** Drops axes of size 1 that another operand stretches. */
function withoutStretched({ x, labels }: Labelled, terms: readonly Labelled[]): Labelled {
  const wider = (label: string) => terms.some((term) => (term.x.shape[term.labels.indexOf(label)] ?? 1) !== 1);
  const kept = labels.flatMap((label, i) => (/\d/.test(label) && x.shape[i] === 1 && wider(label) ? [] : [i]));
  return { x: x.reshape(kept.map((i) => x.shape[i]!)), labels: kept.map((i) => labels[i]!) };
}

function summed({ x, labels }: Labelled, keep: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, i) => (keep(label) ? [] : [i]));
  return { x: axes.length === 0 ? x : x.sum(axes), labels: labels.filter(keep) };
}

function arranged({ x, labels }: Labelled, order: readonly string[]): Labelled {
  return { x: x.permute(order.map((label) => labels.indexOf(label))), labels: order };
}

/** Two operands as one, summed over the axes that nothing needs any more. */
function combine(left: Labelled, right: Labelled, needed: ReadonlySet<string>): Labelled {
  const a = summed(left, (label) => needed.has(label) || right.labels.includes(label));
  const b = summed(right, (label) => needed.has(label) || left.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const inner = shared.filter((label) => !needed.has(label));
  const batch = shared.filter((label) => needed.has(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const sizes = ({ x, labels }: Labelled, of: readonly string[]) => of.map((label) => x.shape[labels.indexOf(label)]!);
  const [batches, ks, ms, ns] = [sizes(a, batch), sizes(a, inner), sizes(a, rows), sizes(b, columns)];
  if (inner.length === 0 || !isFloat(a.x.dtype)) {
    const x = arranged(a, [...batch, ...inner, ...rows]).x.reshape([...batches, ...ks, ...ms, ...ns.map(() => 1)]);
    const y = arranged(b, [...batch, ...inner, ...columns]).x.reshape([...batches, ...ks, ...ms.map(() => 1), ...ns]);
    const labels = [...batch, ...inner, ...rows, ...columns];
    return summed({ x: x.mul(y), labels }, (label) => !inner.includes(label));
  }
  const k = sizeOf(ks);
  const x = arranged(a, [...batch, ...rows, ...inner]).x.reshape([...batches, sizeOf(ms), k]);
  const y = arranged(b, [...batch, ...inner, ...columns]).x.reshape([...batches, k, sizeOf(ns)]);
  return { x: x.matmul(y).reshape([...batches, ...ms, ...ns]), labels: [...batch, ...rows, ...columns] };
}
