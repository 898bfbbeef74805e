// What is shown of a job and of its run.
import { type FileSource, type FileStore, folderStore } from '@paris/files';
import {
  columnOf,
  expertRunName,
  gatherRows,
  listItems,
  type OpenedJob,
  pickItems,
  type RunHistory,
  readCluster,
  readHistory,
  spread,
} from '@paris/trainer';
import type { JobView, Picture, Point, RunView, Sample } from '../messages.js';

/** Pictures that are shown of a cluster. */
const examplesShown = 12;
/** Points of a loss curve. */
const mostPoints = 240;
/** Rows of samples that are kept on the page. */
const samplesShown = 6;

/** What a job says of its pictures and its training. */
export async function jobParts({
  job,
  files,
}: OpenedJob): Promise<
  Pick<
    JobView,
    'cluster' | 'pictures' | 'licences' | 'sources' | 'steps' | 'batchSize' | 'maxHours' | 'dataAt' | 'examples'
  >
> {
  const { identity, licences, maxHours, data } = job;
  const cluster = identity.cluster ?? 0;
  const inside = data ? undefined : await insideOf(files, cluster);
  return {
    ...{ cluster, pictures: identity.data.count, licences, maxHours },
    ...{ steps: numberOf(identity.options.steps), batchSize: numberOf(identity.options.batchSize) },
    sources: inside?.sources ?? {},
    examples: inside?.examples ?? [],
    ...(data && { dataAt: data.address }),
  };
}

async function insideOf(files: FileSource, cluster: number): Promise<Pick<JobView, 'sources' | 'examples'>> {
  const { manifest, rows, items } = await readCluster(files, cluster);
  const sources: { [source: string]: number } = Object.create(null);
  for await (const { source } of items) if (source) sources[source] = (sources[source] ?? 0) + 1;
  if (manifest.latents || manifest.channels !== 3) return { sources, examples: [] };
  const { size } = manifest;
  const shown = spread([...Array(manifest.count).keys()], examplesShown);
  const said = await listItems(pickItems(items, shown));
  const pixels = columnOf(await gatherRows(rows, manifest, shown), 'images', 'u8');
  const area = size * size;
  const examples = shown.map((_, i): Picture => {
    const data = new Uint8Array(3 * area);
    for (let c = 0; c < 3; c++) {
      for (let at = 0; at < area; at++) data[3 * at + c] = pixels[(3 * i + c) * area + at]!; // planes → pixels
    }
    return { width: size, height: size, data, caption: said[i]!.caption };
  });
  return { sources, examples };
}

/** What the folder of runs has of a job. */
export async function runView(runs: FileStore, cluster: number): Promise<RunView> {
  const run = folderStore(runs, expertRunName(cluster));
  const history = await readHistory(run);
  if (!history) return { state: 'new', step: 0, losses: [], samples: [] };
  const { record } = history;
  const finished = record.status === 'finished';
  const step = finished ? (record.result?.steps ?? 0) : (record.checkpoints?.[0]?.step ?? 0);
  return {
    state: finished ? 'finished' : 'begun',
    step,
    losses: thinned(history.metrics.filter((line) => line.step <= step)),
    samples: await samplesOf(run, history),
  };
}

async function samplesOf(run: FileSource, { samples }: RunHistory): Promise<Sample[]> {
  const shown: Sample[] = [];
  for (const { step, file, prompts } of samples.slice(-samplesShown)) {
    if (await run.exists(file)) shown.push({ step, prompts, png: await pngOf(run, file) });
  }
  return shown;
}

export async function pngOf(run: FileSource, file: string): Promise<Blob> {
  return new Blob([(await run.read(file)) as Uint8Array<ArrayBuffer>], { type: 'image/png' });
}

/** At most so many points, each the mean of neighbouring steps. */
export function thinned(metrics: readonly { step: number; loss: number }[]): Point[] {
  const width = Math.max(1, Math.ceil(metrics.length / mostPoints));
  return Array.from({ length: Math.ceil(metrics.length / width) }, (_, i) => {
    const part = metrics.slice(i * width, (i + 1) * width);
    return { step: part.at(-1)!.step, loss: part.reduce((sum, { loss }) => sum + loss, 0) / part.length };
  });
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
