// The controls: conditions that a trained model must meet on pictures that no training saw.
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
 * - the router's balanced accuracy is at least three times chance, which is 1 / K for K experts that are there; where K is
 *   below 5 and that is close to 1 or beyond, halfway between chance and 1
 * - its plain accuracy is at least the majority's share + 0.1; where that share is above 0.8, halfway between it and 1
 * - the top-2 mixture has a lower loss than the best single expert, and than itself with the weights permuted across
 *   pictures, by more than 3 standard errors over pictures. A model of one expert has nothing to compare there and passes.
 */
export function checkControls(evaluation: Evaluation): Control[] {
  const { router, clusters, absent = [], differences } = evaluation;
  const experts = clusters - absent.length;
  return [
    balancedControl(router.balancedAccuracy, experts),
    plainControl(router.accuracy, router.majorityShare),
    below('top-2 against the best single expert', differences['top2 − best expert'], experts),
    below('top-2 against permuted weights', differences['top2 − permuted'], experts),
  ];
}

function balancedControl(value: number, experts: number): Control {
  const chance = 1 / experts;
  const [three, half] = [3 * chance, halfway(chance)];
  const wanted = three <= half ? 'three times' : 'halfway to 1 from';
  const meaning = `${wanted} chance, which is 1/${experts} = ${chance.toFixed(3)}`;
  return atLeast('router: balanced accuracy', value, Math.min(three, half), meaning);
}

function plainControl(value: number, majority: number): Control {
  const [more, half] = [majority + 0.1, halfway(majority)];
  const meaning = more <= half ? "the majority's share + 0.1" : "halfway to 1 from the majority's share";
  return atLeast('router: plain accuracy', value, Math.min(more, half), `${meaning}, which is ${majority.toFixed(3)}`);
}

function halfway(share: number): number {
  return (1 + share) / 2;
}

function atLeast(name: string, value: number, bound: number, meaning: string): Control {
  const passed = value >= bound;
  const relation = passed ? 'at least' : 'below';
  return { name, passed, detail: `${value.toFixed(3)} is ${relation} ${bound.toFixed(3)} (${meaning})` };
}

function below(name: string, { mean, standardError }: Estimate, experts: number): Control {
  if (experts === 1) return { name, passed: true, detail: 'one expert: there is nothing to compare' };
  const difference = `loss difference ${mean.toFixed(4)} ± ${standardError.toFixed(4)}`;
  const passed = -mean > STANDARD_ERRORS * standardError;
  return {
    name,
    passed,
    detail: `${difference}: ${relation(mean, standardError)} (more than ${STANDARD_ERRORS} wanted)`,
  };
}

/** How a loss that should be lower compares. */
function relation(mean: number, standardError: number): string {
  if (mean === 0) return 'no better and no worse';
  const errors = (Math.abs(mean) / standardError).toFixed(1);
  return `${errors} standard errors ${mean < 0 ? 'better' : 'worse'}`;
}
