// What a command shows while it works: a bar on a terminal, plain lines elsewhere, JSON lines for a parent process that
// draws many bars. Every report is also a sign of life for the watchdog.
import { printable } from '@paris/files';
import type { TrainEvent } from '@paris/trainer';
import cliProgress from 'cli-progress';
import { jsonLine } from './print.js';
import { signOfLife } from './supervise.js';

/** What is waited for when all is read and nothing moves yet. */
export const COMPILING = 'compiling kernels for the first step';

/** What `--json` prints, one a line, on stdout. */
export type JsonProgress =
  | { type: 'adapter'; kind: string; line: string }
  | { type: 'notice'; message: string }
  | { type: 'progress'; what: string; step: number; steps: number }
  | { type: 'result'; result: unknown }
  | TrainEvent;

export interface Reporter {
  adapter(kind: string, line: string): void;
  /** A line that is worth keeping. */
  info(message: string): void;
  warn(message: string): void;
  /** Counted work that is no training: pictures decoded, samples drawn. */
  work(what: string, done: number, total: number): void;
  train(event: TrainEvent): void;
  /** What came out, for programs; people get a line of `info`. */
  result(result: unknown): void;
  /** Shows nothing, but tells the watchdog that work continues. */
  alive(): void;
  /** Ends what is being drawn. */
  close(): void;
}

export function createReporter(json: boolean): Reporter {
  if (json) return jsonReporter((line) => process.stdout.write(`${line}\n`));
  return process.stderr.isTTY ? barReporter() : lineReporter((line) => process.stderr.write(`${line}\n`));
}

function jsonReporter(print: (line: string) => void): Reporter {
  const send = (value: JsonProgress) => {
    if (value.type === 'progress') alive(value.step);
    if (value.type === 'observing') signOfLife();
    print(jsonLine(value));
  };
  return {
    adapter: (kind, line) => send({ type: 'adapter', kind, line }),
    info: (message) => send({ type: 'notice', message }),
    warn: (message) => send({ type: 'notice', message: `warning: ${message}` }),
    work: (what, step, steps) => send({ type: 'progress', what, step, steps }),
    train: send,
    result: (result) => send({ type: 'result', result }),
    alive: signOfLife,
    close: () => undefined,
  };
}

/** A line at the start, at each tenth, and at the end. */
function lineReporter(write: (line: string) => void): Reporter {
  const print = (line: string) => write(printable(line));
  let tenth = -1;
  const firstCheckpoint = checkpointOnce();
  const each = (done: number, total: number, line: () => string) => {
    alive(done);
    const now = Math.floor((done * 10) / total);
    if (now === tenth) return;
    tenth = now;
    print(line());
  };
  return {
    adapter: (_, line) => print(line),
    info: print,
    warn: (message) => print(`warning: ${message}`),
    work: (what, done, total) => {
      each(done, total, () => `${what} ${done}/${total}`);
      if (done === total) tenth = -1;
    },
    train: (event) => {
      if (event.type === 'progress') each(event.step, event.steps, () => progressLine(event));
      if (event.type === 'observing') signOfLife();
      for (const line of [...firstCheckpoint(event), ...eventLines(event)]) print(line);
    },
    result: () => undefined,
    alive: signOfLife,
    close: () => undefined,
  };
}

function barReporter(): Reporter {
  let bar: cliProgress.SingleBar | undefined;
  let now = '';
  let [began, from] = [0, 0];
  const firstCheckpoint = checkpointOnce();
  const stop = () => {
    bar?.stop();
    bar = undefined;
    now = '';
  };
  const show = (what: string, done: number, total: number, note: string) => {
    alive(done);
    if (!bar || now !== what) {
      stop();
      now = what;
      bar = new cliProgress.SingleBar({
        format: `${what} {bar} {value}/{total} {note}`,
        stream: process.stderr,
        barsize: 28,
        hideCursor: true,
        gracefulExit: false, // Ctrl-C writes a checkpoint first
        linewrap: null,
        barCompleteChar: '█',
        barIncompleteChar: '░',
      });
      bar.start(total, done, { note });
    }
    bar.update(done, { note });
  };
  const print = (line: string) => {
    stop();
    process.stderr.write(`${printable(line)}\n`);
  };
  return {
    adapter: (_, line) => print(line),
    info: print,
    warn: (message) => print(`warning: ${message}`),
    work: (what, done, total) => {
      if (now !== what) [began, from] = [performance.now(), done];
      show(what, done, total, timeLeft(done - from, total - from, (performance.now() - began) / 1000));
      if (done === total) stop();
    },
    train: (event) => {
      if (event.type === 'progress') show('training', event.step, event.steps, note(event));
      if (event.type === 'observing') signOfLife();
      for (const line of [...firstCheckpoint(event), ...eventLines(event)]) print(line);
    },
    result: () => undefined,
    alive: signOfLife,
    close: stop,
  };
}

/** Nothing before two seconds of work are over: until then it would be a guess. */
function timeLeft(done: number, total: number, seconds: number): string {
  if (done <= 0 || seconds < 2) return '';
  return `${duration(seconds)}, ${duration((seconds * (total - done)) / done)} left`;
}

/** Nothing done yet is no sign of life: the watchdog gives the first step, which compiles shaders, more time. */
function alive(done: number): void {
  if (done > 0) signOfLife();
}

type Progress = Extract<TrainEvent, { type: 'progress' }>;

function progressLine(event: Progress): string {
  return `step ${event.step}/${event.steps}  ${note(event)}`;
}

function note({ loss, accuracy, imagesPerSecond, secondsLeft }: Progress): string {
  const right = accuracy === undefined ? '' : `  accuracy ${accuracy.toFixed(3)}`;
  const left = secondsLeft === undefined ? '' : `  ${duration(secondsLeft)} left`;
  return `loss ${loss.toFixed(4)}${right}  ${imagesPerSecond.toFixed(0)} images/s${left}`;
}

/** The first checkpoint says how long each takes. */
function checkpointOnce(): (event: TrainEvent) => string[] {
  let said = false;
  return (event) => {
    if (event.type !== 'checkpoint' || said) return [];
    said = true;
    const megabytes = event.sizeBytes / 1e6;
    const [size, speed] = [megabytes, megabytes / event.seconds].map((value) => value.toFixed(value < 10 ? 1 : 0));
    return [
      `checkpoint of ${size} MB written in ${event.seconds.toFixed(1)} s (${speed} MB/s); the next ones take about as long`,
    ];
  };
}

function eventLines(event: TrainEvent): string[] {
  switch (event.type) {
    case 'start': {
      const from = event.step === 0 ? '' : `, going on after step ${event.step}`;
      const [count, parameters] = [event.count, event.parameters.toLocaleString('en')];
      return [`${count} pictures, ${parameters} parameters, ${event.steps} steps${from}`, COMPILING];
    }
    case 'validation': {
      const right = event.accuracy === undefined ? '' : `  accuracy ${event.accuracy.toFixed(3)}`;
      return [`step ${event.step}: held-out loss ${event.loss.toFixed(4)}${right}`];
    }
    case 'notice':
      return [`warning: ${event.message}`];
    case 'finished':
      return [
        event.alreadyDone
          ? `finished before (${event.steps} steps); nothing to do`
          : `finished ${event.steps} steps in ${duration(event.seconds)}, weights ${event.sha256.slice(0, 12)}`,
      ];
    default:
      return [];
  }
}

/** 75 → `1:15`. */
function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
