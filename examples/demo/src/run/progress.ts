// What the person sees while things run: bars on a terminal, plain lines elsewhere.

import type { JsonProgress } from '@paris/cli';
import cliProgress from 'cli-progress';
import type { Task } from '../stages.js';

/** A step of a training, or counted work of another kind. */
type ProgressEvent = Extract<JsonProgress, { type: 'progress' }>;

export interface ProgressView {
  begin(title: string, tasks: readonly Task[]): void;
  update(task: Task, event: ProgressEvent): void;
  done(task: Task, note: string): void;
  /** A line of text that stays. */
  say(line: string): void;
  end(): void;
}

export function progressView(stream: NodeJS.WriteStream = process.stdout): ProgressView {
  return stream.isTTY ? new Bars(stream) : new Lines((line) => stream.write(`${line}\n`));
}

/** `loss 0.532 · 410 img/s · 0:34 left`, as far as it is known. */
function describeProgress(event: ProgressEvent): string {
  if (!('loss' in event)) return '';
  const { loss, imagesPerSecond, secondsLeft } = event;
  return [
    loss == null ? '' : `loss ${loss.toFixed(3)}`,
    imagesPerSecond == null ? '' : `${Math.round(imagesPerSecond)} img/s`,
    secondsLeft == null ? '' : `${clock(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

class Bars implements ProgressView {
  private bars: cliProgress.MultiBar | undefined;
  private byTask = new Map<string, cliProgress.SingleBar>();
  constructor(private readonly stream: NodeJS.WriteStream) {}

  begin(title: string, tasks: readonly Task[]): void {
    this.say(title);
    this.bars = new cliProgress.MultiBar({
      format: '  {label} {bar} {value}/{total}  {note}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: false,
      stream: this.stream,
      gracefulExit: false, // this program handles signals itself
    });
    const width = Math.max(...tasks.map((task) => task.label.length));
    for (const task of tasks) {
      this.byTask.set(task.id, this.bars.create(1, 0, { label: task.label.padEnd(width), note: 'waiting' }));
    }
  }

  update(task: Task, event: ProgressEvent): void {
    const bar = this.byTask.get(task.id);
    bar?.setTotal(event.steps);
    bar?.update(event.step, { note: describeProgress(event) });
  }

  done(task: Task, note: string): void {
    const bar = this.byTask.get(task.id);
    bar?.update(bar.getTotal(), { note });
  }

  say(line: string): void {
    if (this.bars?.isActive) this.bars.log(`${line}\n`);
    else this.stream.write(`${line}\n`);
  }

  end(): void {
    this.bars?.update();
    this.bars?.stop();
    this.bars = undefined;
    this.byTask.clear();
  }
}

/** A line per fifth of a task: enough to see life in a log, few enough to read. */
export class Lines implements ProgressView {
  private fifths = new Map<string, number>();
  constructor(readonly say: (line: string) => void) {}

  begin(title: string): void {
    this.say(title);
    this.fifths.clear();
  }

  update(task: Task, event: ProgressEvent): void {
    const fifth = Math.floor((5 * event.step) / event.steps);
    if (fifth <= (this.fifths.get(task.id) ?? 0) || fifth >= 5) return;
    this.fifths.set(task.id, fifth);
    this.say(`  ${task.label}: ${event.step}/${event.steps}  ${describeProgress(event)}`.trimEnd());
  }

  done(task: Task, note: string): void {
    this.say(`  ${task.label}: ${note}`);
  }

  end(): void {}
}
