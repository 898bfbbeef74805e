// Betas that a config lists one by one, by the rule that makes them: a path is named in a config, and a name is short.
import { type DdpmOptions, ddpmPath, logSnr } from '@paris/model';

/** Of the log-SNR: lists are rounded to f32. */
const tolerance = 1e-3;

/** The options of `ddpmPath` that make these betas; undefined if none do. */
export function nameBetas(listed: unknown): (DdpmOptions & { readonly steps: number }) | undefined {
  if (!Array.isArray(listed) || listed.length < 3 || !listed.every((beta) => beta > 0 && beta < 1)) return undefined;
  const steps = listed.length;
  const [start, end] = [listed[0] as number, listed[steps - 1] as number];
  const candidates: (DdpmOptions & { readonly steps: number })[] = [{ betas: 'cosine', steps }];
  if (start <= end)
    for (const betas of ['linear', 'scaled-linear'] as const) candidates.push({ betas, start, end, steps });
  return candidates.find((options) => {
    const path = ddpmPath(options);
    let logProduct = Math.log1p(-start);
    for (let i = 1; i < steps; i++) {
      logProduct += Math.log1p(-listed[i]);
      const level = logProduct - Math.log(-Math.expm1(logProduct));
      if (!(Math.abs(level - logSnr(path, i / (steps - 1))) < tolerance)) return false;
    }
    return true;
  });
}
