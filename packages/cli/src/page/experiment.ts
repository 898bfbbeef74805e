// The results of an experiment on one page: what the papers found beside what was found here, then all rows.
import { type Html, html, trustedHtml } from '@paris/files';
import {
  type ExperimentResults,
  metricDirections,
  type OverSeeds,
  type PaperRow,
  type PieceTime,
  paperRows,
  type Verdict,
} from '@paris/trainer';
import { chartStyle, lineChart } from '../report/chart.js';
import { page, section } from './page.js';

/** @param times - what the pieces took; of no effect on the results */
export function experimentPage(results: ExperimentResults, times: readonly PieceTime[]): string {
  const { design, data, seeds } = results;
  const { size, measuring } = design;
  const style = trustedHtml(`<style>${chartStyle}${tableStyle}</style>`);
  const network = `transformers of width ${size.width}, depth ${size.depth}, patches of ${size.patch} px`;
  return page(design.title, [
    html`${style}<p>${design.question} ${design.budget}</p>
<p>${data.count} pictures of ${data.size} px, ${data.heldOut} of them held out; ${network}; ${steps(results)}; ${
      seeds.length === 1 ? 'one seed' : `seeds ${seeds.join(', ')}`
    }. Of each row ${measuring.pictures} pictures are drawn in ${measuring.sampleSteps} steps at guidance ${measuring.guidance}. ${spent(times)}</p>
<p>${intervalsText(seeds.length)}</p>`,
    ...(results.claims.length > 0 ? [claimSection(results)] : []),
    rowSection(results),
    variantSection(results),
    ...(results.name === 'compute' ? [paperSection(results, times)] : []),
    curveSection(results),
    section(
      'To run it again',
      html`<p><code>paris experiment ${results.name} --data DATA --out OUT ${flagsOf(results)}</code> with these settings, on pictures whose manifest has SHA-256 ${data.sha256}:</p>
<details><summary>settings</summary><pre>${JSON.stringify(settingsOf(results), null, 2)}</pre></details>`,
    ),
  ]);
}

/** The claims as lines of text, for a terminal. */
export function claimLines({ claims }: ExperimentResults): string[] {
  return claims.flatMap(({ source, statement, published, found }) => [
    `${statement} (${source}: ${published})`,
    ...found.map(({ metric, difference, verdict }) => {
      return `  ${verdictWords[verdict].padEnd(10)} ${titleOf(metric).padEnd(20)} difference ${withInterval(difference)}`;
    }),
  ]);
}

function claimSection({ claims }: ExperimentResults): Html {
  const rows = claims.map(({ source, statement, published, better, worse, found }) => {
    const own = found.map(({ metric, difference, verdict }) => {
      return html`<li><b class="${verdict}">${verdictWords[verdict]}</b> by ${titleOf(metric)}: ${withInterval(difference)}</li>`;
    });
    return html`<tr><td>${statement}<br><small>${source}: ${published}</small></td><td><small>${better} minus ${worse}</small><ul>${own}</ul></td></tr>
`;
  });
  return section(
    'What the papers found, and what was found here',
    html`<p>“Agrees” and “disagrees” are said where the whole interval of the difference lies on that side of 0, “undecided” where it holds 0. The papers measured other pictures by other features: signs can be compared, sizes cannot.</p>
<div class="wide"><table>
<tr><th>there</th><th>here</th></tr>
${rows}</table></div>`,
  );
}

function rowSection({ rows, bounds, design }: ExperimentResults): Html {
  const metrics = metricsOf([...rows, ...bounds]);
  const cell = (value: OverSeeds | undefined) => html`<td>${value ? withInterval(value) : ''}</td>`;
  const line = (row: string, values: { [metric: string]: OverSeeds }, note: string) => {
    return html`<tr><th>${row}${note && html`<br><small>${note}</small>`}</th>${metrics.map((metric) => cell(values[metric]))}</tr>
`;
  };
  const published = (row: string) =>
    design.published
      .filter((each) => each.row === row)
      .map(({ source, value }) => `${source.split(' (')[0]}: ${value}`);
  return section(
    'All rows',
    html`<p>Differences are taken from “${design.reference}”. ↓ less is better, ↑ more is better.</p>
<div class="wide"><table>
<tr><th></th>${metrics.map((metric) => html`<th>${titleOf(metric)}</th>`)}</tr>
${rows.map(({ row, metrics: own }) => line(row, own, published(row).join('; ')))}${bounds.map(({ row, metrics: own }) => line(row, own, 'bound'))}</table></div>
<p>What each row is in pairs with the reference, seed by seed:</p>
<div class="wide"><table>
<tr><th></th>${metrics.map((metric) => html`<th>${titleOf(metric)}</th>`)}</tr>
${rows.filter(({ differences }) => Object.keys(differences).length > 0).map(({ row, differences }) => line(row, differences, ''))}</table></div>`,
  );
}

function variantSection({ variants }: ExperimentResults): Html {
  const metrics = metricsOf(variants);
  return section(
    'Trainings and routers',
    html`<div class="wide"><table>
<tr><th></th>${variants.map(({ variant }) => html`<th>${variant}</th>`)}</tr>
${metrics.map(
  (
    metric,
  ) => html`<tr><th>${titleOf(metric)}</th>${variants.map(({ metrics: own }) => html`<td>${own[metric] ? withInterval(own[metric]) : ''}</td>`)}</tr>
`,
)}</table></div>`,
  );
}

function curveSection({ rows, design }: ExperimentResults): Html {
  const times = (curve: readonly number[]) => curve.map((loss, t) => [(t + 0.5) / curve.length, loss] as const);
  const chart = lineChart({
    title: 'Held-out loss by noise level (0 is data, 1 is noise), mean over seeds',
    series: rows.slice(0, 8).map(({ row, curve }) => ({ name: row, points: times(curve) })),
  });
  const left = rows.length > 8 ? `The first eight of ${rows.length} rows; the others are in results.json.` : '';
  return section('By noise level', html`${chart ?? design.title}<p>${left}</p>`);
}

/** Hours on several machines, from the figures of the run. */
function paperSection({ variants, design }: ExperimentResults, times: readonly PieceTime[]): Html {
  const [model, experts] = design.variants;
  const of = (name: string) => variants.find(({ variant }) => variant === name)!.metrics;
  const trained = times.filter(({ piece }) => /\/(expert-\d+|router)$/.test(piece));
  const seconds = trained.reduce((sum, { processorSeconds }) => sum + (processorSeconds ?? 0), 0);
  const metric = (name: string, what: string) => of(name)[what]?.mean ?? 0;
  const teraflops = [model!, experts!].reduce(
    (sum, { name }) => sum + metric(name, 'expertTeraflops') + metric(name, 'routerTeraflops'),
    0,
  );
  const flopsPerSecond = (1e12 * teraflops) / seconds;
  if (!(flopsPerSecond > 0) || !Number.isFinite(flopsPerSecond)) {
    return section('On several machines', 'No time of a training is known here, so nothing can be said of hours.');
  }
  const rows = paperRows({
    experts: experts!.clusters,
    steps: model!.steps,
    flops: 1e12 * metric(model!.name, 'expertTeraflops'),
    bytes: 1e6 * metric(model!.name, 'expertMegabytes'),
    flopsPerSecond,
  });
  const cells = ({ machines, isolated, parallel }: PaperRow) =>
    html`<tr><th>${machines}</th><td>${hours(isolated)}</td>${parallel.map((each) => html`<td>${hours(each.hours)}</td>`)}</tr>
`;
  return section(
    'On several machines',
    html`<p>On paper, from what was measured: ${(flopsPerSecond / 1e9).toPrecision(3)} GFLOP a processor-second in training, ${metric(model!.name, 'expertMegabytes').toFixed(2)} MB of gradients a step. Experts exchange nothing. The one model exchanges gradients at each of its ${model!.steps} steps by a ring; latency is left out, and sending does not overlap computing. The router is trained apart and not counted.</p>
<div class="wide"><table>
<tr><th>machines</th><th>${experts!.clusters} isolated experts</th>${rows[0]!.parallel.map(({ megabitsPerSecond }) => html`<th>one model, ${megabitsPerSecond} Mbit/s</th>`)}</tr>
${rows.map(cells)}</table></div>`,
  );
}

const titles: { readonly [metric: string]: string } = {
  loss: 'held-out loss',
  experts: 'experts a step, held out',
  expertsDrawing: 'experts a step, drawing',
  gigaflops: 'GFLOP a picture',
  megabytes: 'MB of weights read a picture',
  kernel: 'kernel distance',
  slicedWasserstein: 'sliced Wasserstein',
  frechet: 'Fréchet distance',
  clippedDensity: 'clipped density',
  clippedCoverage: 'clipped coverage',
  condition: 'category right',
  nearer: 'nearer than held out',
  copying: 'p of no copying',
  refinement: 'step-refinement error',
  routerAccuracy: "router's accuracy",
  balancedAccuracy: 'balanced accuracy',
  majorityShare: 'largest cluster',
  crossEntropy: "router's cross-entropy",
  calibrationError: 'calibration error',
  pickedLoss: 'loss of picked experts (top 2)',
  unpickedLoss: 'loss of unpicked experts',
  bestPicked: 'best expert among the picked',
  disagreement: 'difference of two experts',
  expertPictures: 'pictures seen by the experts',
  expertTeraflops: 'TFLOP of the experts',
  expertMegabytes: 'MB of one expert',
  teacherTeraflops: 'TFLOP of the teacher',
  routerPictures: 'pictures seen by the router',
  routerTeraflops: 'TFLOP of the router',
};

function titleOf(metric: string): string {
  const direction = metricDirections[metric];
  const arrow = direction === undefined ? '' : { less: ' ↓', more: ' ↑' }[direction];
  return `${titles[metric] ?? metric}${arrow}`;
}

/** All metrics of the rows, in the order of the titles. */
function metricsOf(rows: readonly { metrics: { [metric: string]: OverSeeds } }[]): string[] {
  const order = Object.keys(titles);
  const found = new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)));
  return [...found].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/** `1.23 (1.1 to 1.36)`; without an interval where it has no width or is not known. */
function withInterval({ mean, interval }: OverSeeds): string {
  const [low, high] = (interval ?? [mean, mean]).map(short);
  return low === high ? short(mean) : `${short(mean)} (${low} to ${high})`;
}

function short(value: number): string {
  return value === 0 ? '0' : `${Number(value.toPrecision(3))}`.replace('-', '−');
}

const hours = (value: number): string => `${short(value)} h`;

function steps({ design }: ExperimentResults): string {
  return `${Math.max(...design.variants.map((variant) => variant.steps))} training steps at most`;
}

function spent(times: readonly PieceTime[]): string {
  const total = times.reduce((sum, { processorSeconds }) => sum + (processorSeconds ?? 0), 0);
  return total > 0 ? `All of it took ${Math.round(total).toLocaleString('en')} processor-seconds.` : '';
}

function intervalsText(seeds: number): string {
  if (seeds === 1) return 'With one seed there are no intervals, and no claim is decided.';
  return `Intervals are 95 % by Student's t over the ${seeds} seeds, of differences in pairs: the same seed has the same noise, captions and held-out pictures in every row.`;
}

/** The options of the command that give this size. */
function flagsOf({ design, seeds }: ExperimentResults): string {
  const { size, measuring, variants, reference } = design;
  const { steps } = variants.find(({ name }) => reference.startsWith(`${name}/`))!;
  return `--seeds ${seeds.join(',')} --steps ${steps} --pictures ${measuring.pictures} --width ${size.width} --depth ${size.depth}`;
}

/** What decides the numbers, without the words around it. */
function settingsOf({ design }: ExperimentResults): object {
  const { claims: _claims, published: _published, ...rest } = design;
  return rest;
}

const verdictWords: Readonly<Record<Verdict, string>> = {
  agrees: 'agrees',
  disagrees: 'disagrees',
  undecided: 'undecided',
};

const tableStyle = `
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid light-dark(#ddd, #444); }
td ul { margin: .25rem 0; padding-left: 1rem; }
.agrees { color: light-dark(#1a7f37, #7ee787); }
.disagrees { color: light-dark(#b00020, #ff8a80); }
`;
