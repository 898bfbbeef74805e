// It must have worked: what has to be true of a trained model on pictures that no training saw.
import type { Estimate, Evaluation } from './evaluation.js';

/** One thing that must be true of a model that has learned, and whether it is. */
export interface Control {
  name: string;
  passed: boolean;
  /** One sentence with both numbers. */
  detail: string;
}

/** Standard errors by which a paired difference has to exceed zero. */
const STANDARD_ERRORS = 3;

/**
 * - the router's balanced accuracy is at least 3 / K (three times chance), its plain accuracy at least the majority's
 *   share + 0.1
 * - the top-2 mixture has a lower loss than the best single expert, and than itself with the weights permuted across
 *   pictures, by more than 3 standard errors over pictures
 */
export function checkControls(evaluation: Evaluation): Control[] {
  const { router, clusters, differences } = evaluation;
  return [
    atLeast('router: balanced accuracy', router.balancedAccuracy, 3 / clusters, `3/${clusters}`),
    atLeast('router: plain accuracy', router.accuracy, router.majorityShare + 0.1, "the majority's share + 0.1"),
    below('top-2 against the best single expert', differences['top2 − best expert']),
    below('top-2 against permuted weights', differences['top2 − permuted']),
  ];
}

function atLeast(name: string, value: number, bound: number, meaning: string): Control {
  const passed = value >= bound;
  const relation = passed ? 'at least' : 'below';
  return { name, passed, detail: `${value.toFixed(3)} is ${relation} ${bound.toFixed(3)} (${meaning})` };
}

function below(name: string, { mean, standardError }: Estimate): Control {
  const errors = -mean / standardError;
  const detail = `loss difference ${mean.toFixed(4)} ± ${standardError.toFixed(4)}: ${errors.toFixed(1)} standard errors better`;
  return { name, passed: errors > STANDARD_ERRORS, detail: `${detail} (more than ${STANDARD_ERRORS} wanted)` };
}
