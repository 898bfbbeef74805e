// The arithmetic of docs/scaling.md: from measured steps a second to the size of the released Paris, and its chart.
//
//   node tools/docs/scaling.js      # prints the figures, and writes docs/images/scaling.svg
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is given: measured, counted, published or assumed. The page says which, and from where. */
export const given = {
  /** Multiply-accumulates of a forward of one picture: `paris info dit-xl-2`, `router-b-2`, and the benchmark's DiT. */
  macs: { expert: 144_486_678_528, router: 23_092_617_216 },
  parameters: { expert: 605_970_448, router: 129_136_904 },
  /** A training step of the demo's DiT on one core of a CPU: benchmarks/results/cpu.json. */
  measured: { macs: 3_272_704, batch: 16, milliseconds: 13.518 },
  experts: 8,
  pictures: 11e6,
  /** Published for Paris: all of its training, in days of one A100. */
  a100Days: 72,
  /** Dense f16 products of an A100 with f32 sums, FLOP/s, and the share of it that trainings reach. */
  peak: 312e12,
  share: 0.4,
  /** Pictures of a step of the one model; the experts divide it among them (DDM, appendix B). */
  batch: 1024,
  /** Machine-days between failures of one machine, and what one costs: half the time between checkpoints, and a restart. */
  daysBetweenFailures: 20,
  checkpointHours: 0.5,
  restartHours: 0.25,
};

const day = 86_400;

/** Figures that follow from what is given. */
export function figures(g = given) {
  const flopsPerPicture = 3 * 2 * g.macs.expert; // a backward costs two forwards
  const flopsPerSecond = g.peak * g.share;
  const corePerSecond = (6 * g.measured.macs * g.measured.batch) / (g.measured.milliseconds / 1000);
  const passes = (g.a100Days * day * flopsPerSecond) / flopsPerPicture;
  const steps = passes / g.batch;
  const stepSeconds = ((g.batch / g.experts) * flopsPerPicture) / flopsPerSecond;
  const gradientBytes = 2 * g.parameters.expert; // f16
  const ringBytes = (2 * (g.experts - 1) * gradientBytes) / g.experts; // sent by each of N in a ring all-reduce
  const latentBytes = g.pictures * 32 * 32 * 4 * 2; // f16
  const resultBytes = 4 * (g.experts * g.parameters.expert + g.parameters.router); // f32
  return {
    flopsPerPicture,
    corePerSecond,
    coreYears: (passes * flopsPerPicture) / corePerSecond / day / 365,
    picturesPerSecond: flopsPerSecond / flopsPerPicture,
    passes,
    epochs: passes / g.pictures,
    steps,
    stepSeconds,
    daysEach: g.a100Days / g.experts,
    ringBytes,
    synchronousBytes: ringBytes * g.experts * steps,
    isolatedBytes: latentBytes + resultBytes,
    latentBytes,
    resultBytes,
    /** Gbit/s at which a tenth of the time goes to exchanging gradients. */
    tenthGbits: (ringBytes * 8) / (0.1 * stepSeconds) / 1e9,
  };
}

/** Days of a synchronous training on as many machines as experts, at so many Gbit/s between them; nothing overlaps. */
export function synchronousDays(gbits, g = given) {
  const { stepSeconds, ringBytes, daysEach } = figures(g);
  return daysEach * (1 + (ringBytes * 8) / (gbits * 1e9) / stepSeconds);
}

/** The share of its time that a training of so many machines loses to failures, if each stops all of them. */
export function lostShare(machines, g = given) {
  const hours = g.checkpointHours / 2 + g.restartHours;
  return (machines / (g.daysBetweenFailures * 24)) * hours;
}

/** The chart: days against the speed of the network. */
export function chart() {
  const [left, top, width, height] = [70, 60, 720, 300];
  const decades = [0.1, 1, 10, 100, 1000];
  const ticks = [1, 10, 100, 1000, 10_000];
  const x = (gbits) => left + (width * Math.log10(gbits / 0.1)) / 4;
  const y = (days) => top + height - (height * Math.log10(days)) / 4;
  const isolated = figures().daysEach;
  const at = Array.from({ length: 81 }, (_, i) => 0.1 * 10 ** (i / 20));
  const curve = at.map((gbits) => `${x(gbits).toFixed(1)},${y(synchronousDays(gbits)).toFixed(1)}`).join(' ');
  const lines = [
    ...decades.map(
      (gbits) =>
        `<line class="tick" x1="${x(gbits)}" x2="${x(gbits)}" y1="${top}" y2="${top + height}"/><text class="axis" x="${x(gbits)}" y="${top + height + 18}" text-anchor="middle">${gbits} Gbit/s</text>`,
    ),
    ...ticks.map(
      (days) =>
        `<line class="tick" x1="${left}" x2="${left + width}" y1="${y(days)}" y2="${y(days)}"/><text class="axis" x="${left - 8}" y="${y(days) + 4}" text-anchor="end">${days}</text>`,
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 410" width="860" height="410" role="img">
<title>Days until eight machines have trained, against the network between them</title>
<style>
  svg { background: #fff; font: 12px system-ui, sans-serif; fill: #222 }
  .tick { stroke: #ddd } .axis { fill: #777 } .head { font-weight: 600; font-size: 13px }
  polyline, .isolated { fill: none; stroke: #2f6f8f; stroke-width: 2.5 } .isolated { stroke: #c2571a }
</style>
<text class="head" x="8" y="18">Days until eight A100 have done the work of the released Paris</text>
<text class="axis" x="8" y="36">both axes logarithmic; a ring all-reduce of f16 gradients each step, nothing of it hidden behind arithmetic</text>
${lines.join('\n')}
<polyline points="${curve}"/>
<line class="isolated" x1="${left}" x2="${left + width}" y1="${y(isolated)}" y2="${y(isolated)}"/>
<text x="${x(1.3)}" y="${y(synchronousDays(0.8))}">one model, gradients exchanged at every step</text>
<text x="${x(0.12)}" y="${y(isolated) + 18}" style="fill:#c2571a">eight experts, nothing exchanged: ${isolated} days</text>
</svg>
`;
}

/** Figures as the page prints them, by name. */
export function printed() {
  const f = figures();
  const giga = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
  return {
    'training, a picture': `${(f.flopsPerPicture / 1e9).toFixed(0)} GFLOP`,
    'a core of a CPU': `${(f.corePerSecond / 1e9).toFixed(0)} GFLOP/s`,
    'core-years': `${f.coreYears.toFixed(0)} core-years`,
    'pictures a second': f.picturesPerSecond.toFixed(0),
    'passes over pictures': `${(f.passes / 1e6).toFixed(0)} million`,
    epochs: f.epochs.toFixed(0),
    steps: `${(f.steps / 1e3).toFixed(0)},000`,
    'seconds a step': f.stepSeconds.toFixed(2),
    'days each': `${f.daysEach} days`,
    latents: giga(f.latentBytes),
    results: giga(f.resultBytes),
    'moved, isolated': giga(f.isolatedBytes),
    'sent a step': giga(f.ringBytes),
    'moved, synchronous': `${(f.synchronousBytes / 1e15).toFixed(1)} PB`,
    'network for a tenth': `${f.tenthGbits.toFixed(0)} Gbit/s`,
    'days at 100 Gbit/s': synchronousDays(100).toFixed(1),
    'days at 10 Gbit/s': synchronousDays(10).toFixed(0),
    'days at 1 Gbit/s': synchronousDays(1).toFixed(0),
    'lost to failures, 1': `${(100 * lostShare(1)).toFixed(1)} %`,
    'lost to failures, 8': `${(100 * lostShare(8)).toFixed(1)} %`,
    'lost to failures, 64': `${(100 * lostShare(64)).toFixed(1)} %`,
  };
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  for (const [name, value] of Object.entries(printed())) console.log(`${name.padEnd(24)}${value}`);
  writeFileSync(fileURLToPath(new URL('../../docs/images/scaling.svg', import.meta.url)), chart());
}
