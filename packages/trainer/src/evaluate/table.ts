// An evaluation as people read it in a terminal.
import { printable } from '@paris/files';
import { type Control, checkControls } from './controls.js';
import type { Estimate, Evaluation, RouterScore, SemanticsResult } from './evaluation.js';

/** Lines of text: the router's scores, the loss of each arm with its standard error, and the controls. */
export function formatEvaluation(evaluation: Evaluation): string {
  const { router, losses, count, clusters, times, semantics } = evaluation;
  const best = losses.bestExpert;
  const rows: [string, Estimate][] = [
    ...Object.entries(losses.policies),
    ['oracle (own cluster)', losses.oracle],
    ['top2, weights permuted', losses.permuted],
    ...losses.experts.map((e, k): [string, Estimate] => [`expert ${k}${k === best ? ' (best alone)' : ''}`, e]),
  ];
  return [
    `${count} held-out pictures, ${clusters} clusters, ${times.length} noise levels`,
    '',
    `router    accuracy   balanced   calibration error   (majority ${router.majorityShare.toFixed(3)})`,
    routerRow('all', router),
    ...(router.accuracyInterval
      ? [`  accuracy of all: ${router.accuracyInterval.map((end) => end.toFixed(3)).join(' to ')} (95 %)`]
      : []),
    ...router.byTime
      .filter((_, i) => i % Math.ceil(times.length / 5) === 0)
      .map((score) => routerRow(`t ${score.time.toFixed(3)}`, score)),
    '',
    'velocity loss               mean     ± standard error over pictures   95 % by the bootstrap',
    ...rows.map(
      ([name, e]) =>
        `  ${printable(name).padEnd(24)}  ${e.mean.toFixed(4)}   ± ${e.standardError.toFixed(4)}${between(e)}`,
    ),
    '',
    ...checkControls(evaluation).map(formatControl),
    ...(semantics
      ? ['', formatSemantics('held-out', semantics.heldOut), formatSemantics('training', semantics.training)]
      : []),
  ].join('\n');
}

function between({ interval }: Estimate): string {
  return interval ? `${' '.repeat(25)}${interval.map((end) => end.toFixed(4)).join(' to ')}` : '';
}

function routerRow(name: string, { accuracy, balancedAccuracy, calibrationError }: RouterScore): string {
  return `  ${name.padEnd(8)}${accuracy.toFixed(3)}      ${balancedAccuracy.toFixed(3)}      ${calibrationError.toFixed(3)}`;
}

function formatControl({ name, passed, detail }: Control): string {
  return `${passed ? 'pass' : 'FAIL'}  ${name}: ${detail}`;
}

function formatSemantics(what: string, { nats, threshold, partitions, semantic, categories }: SemanticsResult): string {
  const verdict = semantic ? 'semantic' : 'not shown to be semantic';
  return `clusters and ${categories} categories on ${what} pictures: ${nats.toFixed(3)} nats, 99th percentile of ${partitions} random partitions ${threshold.toFixed(3)}: ${verdict}`;
}
