// All jobs of a plan at a glance: a bar each on a terminal, a line for each tenth elsewhere, or JSON lines.
import { printable } from '@paris/files';
import cliProgress from 'cli-progress';
import { jsonLine } from '../print.js';
import type { JsonProgress } from '../reporter.js';
import type { JobState } from './local.js';
import type { Job, Plan } from './plan.js';

/** What is shown of a launch while it runs. */
export interface LaunchView {
  onEvent(job: Job, event: JsonProgress): void;
  onState(job: Job, state: JobState): void;
  /** Ends what is being drawn. */
  close(): void;
}

export function launchView(json: boolean, plan: Plan): LaunchView {
  if (json) return jsonView((line) => process.stdout.write(`${line}\n`));
  return process.stderr.isTTY ? bars(plan) : lines((line) => process.stderr.write(`${printable(line)}\n`));
}

function jsonView(print: (line: string) => void): LaunchView {
  return {
    onEvent: ({ id }, event) => print(jsonLine({ job: id, ...event })),
    onState: ({ id }, state) => print(jsonLine({ job: id, type: 'state', ...state })),
    close: () => undefined,
  };
}

function lines(print: (line: string) => void): LaunchView {
  const tenths = new Map<string, number>();
  return {
    onEvent: ({ id }, event) => {
      if (event.type !== 'progress') return;
      const tenth = Math.floor((event.step * 10) / event.steps);
      if (tenths.get(id) === tenth) return;
      tenths.set(id, tenth);
      print(`${id}: ${event.step}/${event.steps} ${noteOf(event)}`.trimEnd());
    },
    onState: ({ id }, state) => print(`${id}: ${sentenceOf(state)}`),
    close: () => undefined,
  };
}

function bars({ experts, others }: Plan): LaunchView {
  const jobs = [...experts, ...others];
  const all = new cliProgress.MultiBar({
    format: '{job} {bar} {value}/{total}  {note}',
    stream: process.stderr,
    barsize: 24,
    hideCursor: true,
    linewrap: null,
    gracefulExit: false, // Ctrl-C writes checkpoints first
    barCompleteChar: '█',
    barIncompleteChar: '░',
  });
  const width = Math.max(...jobs.map(({ id }) => id.length));
  const byJob = new Map(jobs.map(({ id }) => [id, all.create(1, 0, { job: id.padEnd(width), note: 'waiting' })]));
  return {
    onEvent: ({ id }, event) => {
      if (event.type !== 'progress') return;
      byJob.get(id)!.setTotal(event.steps);
      byJob.get(id)!.update(event.step, { note: noteOf(event) });
    },
    onState: ({ id }, state) => {
      const bar = byJob.get(id)!;
      if (state.state === 'done') bar.update(bar.getTotal(), { note: 'done' });
      else bar.update({ note: printable(sentenceOf(state)) });
    },
    close: () => {
      all.update();
      all.stop();
    },
  };
}

function sentenceOf(state: JobState): string {
  if (state.state === 'again') return `${state.reason}; again in ${Math.round(state.pauseMs / 1000)} s`;
  return state.state === 'failed' ? `failed: ${state.reason}` : state.state;
}

/** The loss of a training, as far as the line has one. */
function noteOf(event: object): string {
  const { loss } = event as { loss?: unknown };
  return typeof loss === 'number' ? `loss ${loss.toFixed(3)}` : '';
}
