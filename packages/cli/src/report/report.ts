// What happened in the runs of a folder, on one page that stands alone.
import { entriesOf, type FileStore, folderStore, type Html, html, trustedHtml } from '@paris/files';
import { ValueError } from '@paris/tensor';
import { type LogLine, lostCount, type RunHistory, readHistory, type SampleLine } from '@paris/trainer';
import { page, section } from '../page/page.js';
import { chartStyle, lineChart, type Series } from './chart.js';

/** Files of samples that are shown, the last one among them. */
const samplesShown = 12;
const largestSample = 4 * 2 ** 20;
const checkpointsShown = 10;

/**
 * The page of all runs in a folder, or of the one that the folder is.
 * @param refresh - seconds after which a browser loads it again
 * @throws ValueError if there is no run
 */
export async function reportPage(store: FileStore, title: string, refresh?: number): Promise<string> {
  const runs = await runsIn(store);
  if (runs.length === 0) {
    throw new ValueError(
      'report',
      `${title} holds no run: there is no run.json. Give the folder that paris train writes to.`,
    );
  }
  const sections = [];
  for (const { name, store: own } of runs) sections.push(await runSection(name, own));
  const style = html`<style>${trustedHtml(chartStyle)}</style>`;
  const again = refresh !== undefined && html`<meta http-equiv="refresh" content="${refresh}">`;
  return page(title, [html`${again}${style}`, ...sections]);
}

async function runsIn(store: FileStore): Promise<{ name: string; store: FileStore }[]> {
  if (await store.exists('run.json')) return [{ name: 'Run', store }];
  const folders = (await entriesOf(store)).filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
  const found = [];
  for (const name of folders.sort()) {
    const own = folderStore(store, name);
    if (await own.exists('run.json')) found.push({ name, store: own });
  }
  return found;
}

async function runSection(name: string, store: FileStore): Promise<Html> {
  const history = await readHistory(store).catch((error: Error) => error);
  if (history === undefined || history instanceof Error) {
    return section(name, html`<p class="failed">${history?.message ?? 'It has no run.json any more.'}</p>`);
  }
  const { samples } = history;
  return section(
    name,
    html`<p>${stateOf(history)}</p>`,
    html`${charts(history)}`,
    samples.length > 0 ? await sampleFigures(store, samples) : '',
    checkpointTable(history.log),
    optionsTable(history),
  );
}

function stateOf({ record, metrics, log }: RunHistory): string {
  const { status, result, options, data } = record;
  const done = metrics.at(-1)?.step ?? 0;
  const parts = [
    result
      ? `finished: ${result.steps} steps in ${duration(result.seconds)}`
      : `${status}: step ${done} of ${options.steps}`,
    `${data.count} pictures`,
    record.adapters.map((adapter) => adapter.name).join(', then '),
  ];
  const lost = lostCount(record.lost);
  if (lost > 0) parts.push(`${lost} of them left out, whose files were damaged`);
  const begun = log.filter((line) => line.adapter !== undefined).length;
  if (begun > 1) parts.push(`begun or resumed ${begun} times`);
  const last = log.at(-1);
  if (last && !result) parts.push(`last sign of life ${last.time}`);
  return parts.join(' · ');
}

function charts({ metrics, validation, log }: RunHistory): Html[] {
  const of = (name: 'loss' | 'accuracy' | 'gradientNorm' | 'learningRate'): Series => ({
    name,
    points: metrics.flatMap((line) => (line[name] === undefined ? [] : [[line.step, line[name]] as const])),
  });
  const logged = (name: keyof LogLine, title: string = name, scale = 1): Series => ({
    name: title,
    points: log.flatMap((line) => (typeof line[name] === 'number' ? [[line.step, line[name] / scale] as const] : [])),
  });
  const times = [...new Set(validation.map(({ time }) => time))].sort((a, b) => a - b);
  const heldOut = (value: (line: RunHistory['validation'][number]) => number | undefined): Series['points'] =>
    [...new Set(validation.map(({ step }) => step))].flatMap((step) => {
      const values = validation.filter((line) => line.step === step).flatMap((line) => value(line) ?? []);
      return values.length > 0 ? [[step, values.reduce((a, b) => a + b) / values.length] as const] : [];
    });
  const levels = times.map((time) => ({
    name: `t = ${Number(time.toPrecision(3))}`,
    points: validation.filter((line) => line.time === time).map(({ step, loss }) => [step, loss] as const),
  }));
  const held = (name: string, points: Series['points']) => ({ name, points });
  return [
    lineChart({
      title: 'Loss',
      series: [
        { ...of('loss'), name: 'training' },
        held(
          'held out',
          heldOut((line) => line.loss),
        ),
      ],
      logarithmic: true,
    }),
    lineChart({ title: 'Held-out loss by noise level', series: levels, logarithmic: true }),
    lineChart({
      title: 'Accuracy',
      series: [
        { ...of('accuracy'), name: 'training' },
        held(
          'held out',
          heldOut((line) => line.accuracy),
        ),
      ],
    }),
    lineChart({ title: 'Gradient norm, before clipping', series: [of('gradientNorm')], logarithmic: true }),
    lineChart({ title: 'Learning rate', series: [of('learningRate')] }),
    lineChart({ title: 'Pictures a second', series: [logged('imagesPerSecond')] }),
    lineChart({ title: 'Time in which steps waited for pictures, %', series: [logged('waiting', 'waiting', 0.01)] }),
    lineChart({
      title: 'Memory, MB',
      series: [logged('deviceBytes', 'device', 1e6), logged('hostBytes', 'process', 1e6)],
    }),
  ].filter((chart) => chart !== undefined);
}

async function sampleFigures(store: FileStore, samples: readonly SampleLine[]): Promise<Html> {
  const most = Math.min(samplesShown, samples.length);
  const shown = Array.from({ length: most }, (_, i) => samples[Math.ceil(((i + 1) * samples.length) / most) - 1]!);
  const rows = [];
  for (const { step, file, prompts } of shown) {
    const bytes = await store.read(file, undefined, { maxBytes: largestSample }).catch(() => undefined);
    if (!bytes) {
      const why = `${file} is not shown: it is missing, or has more than ${largestSample / 2 ** 20} MiB`;
      rows.push(html`<tr><td>${step}</td><td>${why}</td></tr>\n`);
      continue;
    }
    const text = `step ${step}: ${prompts.join(' | ')}`;
    const source = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
    rows.push(
      html`<tr><td>${step}</td><td><img src="${source}" alt="${text}" title="${text}" style="width:auto;height:4rem"></td></tr>\n`,
    );
  }
  const { prompts, seed, guidance } = samples.at(-1)!;
  const how = `For ${prompts.map((prompt) => `“${prompt}”`).join(', ')}; seed ${seed}, guidance ${guidance}.`;
  return html`<h3>Samples over time</h3>
<p>${how}</p>
<table>${rows}</table>
`;
}

function checkpointTable(log: readonly LogLine[]): Html | '' {
  const written = log.filter((line) => line.checkpointBytes !== undefined);
  if (written.length === 0) return '';
  const rows = written.slice(-checkpointsShown).map(({ step, time, checkpointBytes = 0, checkpointSeconds = 0 }) => {
    const megabytes = checkpointBytes / 1e6;
    const speed = checkpointSeconds > 0 ? `${(megabytes / checkpointSeconds).toFixed(0)} MB/s` : '';
    return html`<tr><td>${step}</td><td>${time}</td><td>${megabytes.toFixed(1)} MB</td><td>${checkpointSeconds.toFixed(1)} s</td><td>${speed}</td></tr>\n`;
  });
  return html`<h3>Checkpoints</h3>
<p>${written.length} written${written.length > rows.length && `, the last ${rows.length} of them`}:</p>
<table><tr><th>step</th><th>at</th><th>size</th><th>took</th><th></th></tr>
${rows}</table>
`;
}

function optionsTable({ record }: RunHistory): Html {
  const rows = Object.entries(record.options).map(([name, value]) => {
    return html`<tr><td>${name}</td><td>${typeof value === 'string' ? value : JSON.stringify(value)}</td></tr>\n`;
  });
  return html`<details><summary>Options</summary>
<table>${rows}</table>
</details>
`;
}

function duration(seconds: number): string {
  const total = Math.round(seconds);
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min ${s} s` : `${s} s`;
}
