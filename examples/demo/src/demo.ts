// The demo from pictures to evaluation. It calls `paris` for everything that counts and adds only order and progress.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Outcome, type ParisCommand, runParis } from '@paris/cli';
import { listEmoji } from './data/emoji.js';
import { writePhotos } from './data/photos.js';
import { DemoError } from './errors.js';
import type { DemoOptions } from './options.js';
import { Ledger, moveAside } from './run/ledger.js';
import { pool } from './run/pool.js';
import { clock, type ProgressView } from './run/progress.js';
import { layout, outNames, type Stage, stagesOf, type Task } from './stages.js';

export interface DemoContext {
  readonly paris: ParisCommand;
  readonly view: ProgressView;
  /** Aborted when the person wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs all stages up to the samples; what is complete already is skipped.
 * @returns the ledger, or undefined if the person stopped the demo
 * @throws DemoError that names the stage that failed
 */
export async function runStages(options: DemoOptions, context: DemoContext): Promise<Ledger | undefined> {
  if (options.fresh) {
    const moved = await moveAside(options.out, outNames);
    if (moved) context.view.say(`The earlier run is now in ${moved}.`);
  }
  const ledger = await Ledger.open(options.out);
  await new DemoRun(options, context, ledger).run();
  return context.signal.aborted ? undefined : ledger;
}

class DemoRun {
  private readonly said = new Set<string>();

  constructor(
    private readonly options: DemoOptions,
    private readonly context: DemoContext,
    private readonly ledger: Ledger,
  ) {}

  async run(): Promise<void> {
    await this.collectPhotos();
    const stages = stagesOf(this.options);
    for (const [i, stage] of stages.entries()) {
      if (this.context.signal.aborted) return;
      const pending = stage.tasks.filter((task) => !this.ledger.isComplete(task.id, task.args, task.output));
      if (pending.length === 0) continue;
      // What depends on this stage must be made again. (A training itself refuses to resume with other data.)
      await this.ledger.invalidate(stages.slice(i + 1).flatMap((later) => later.tasks.map((task) => task.id)));
      await this.runStage(stage, pending);
    }
  }

  private async collectPhotos(): Promise<void> {
    const { limit, out } = this.options;
    const args = limit === undefined ? [] : ['--limit', String(limit)];
    if (this.ledger.isComplete('collect', args, layout.captions)) return;
    await this.ledger.start('collect', args, false);
    const session = beginSession();
    const pictures = await listEmoji(limit);
    await writePhotos(pictures, out);
    await this.ledger.end('collect', session(), true);
    const emoji = new Set(pictures.map((picture) => picture.group)).size;
    this.context.view.say(`Collected ${pictures.length} pictures of ${emoji} emoji.`);
  }

  private async runStage(stage: Stage, pending: readonly Task[]): Promise<void> {
    for (const task of pending) await this.ledger.start(task.id, task.args, stage.repeatable);
    this.context.view.begin(stage.title, pending);
    // When one task fails the others are stopped, and write a checkpoint.
    const stop = new AbortController();
    const signal = AbortSignal.any([this.context.signal, stop.signal]);
    try {
      await pool(pending, this.options.jobs, async (task) => {
        await this.runTask(stage, task, signal).catch((error) => {
          stop.abort();
          throw error;
        });
      });
    } finally {
      this.context.view.end();
    }
  }

  private async runTask(stage: Stage, task: Task, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const name = stage.tasks.length > 1 ? `${stage.id}: ${task.label}` : stage.id;
    const session = beginSession();
    const outcome = await this.attempt(stage, task, signal);
    const [start, end] = session();
    await this.ledger.end(task.id, [start, end], outcome.kind === 'done');
    if (outcome.kind === 'stopped') return;
    if (outcome.kind === 'failed') throw new DemoError(`${name} failed: ${outcome.reason} (log: ${logOf(task)})`);
    if (!existsSync(join(this.options.out, task.output))) {
      throw new DemoError(`${name} ended well, but ${task.output} is not there; see ${logOf(task)}.`);
    }
    this.context.view.done(task, `done in ${clock((end - start) / 1000)}`);
  }

  private async attempt(stage: Stage, task: Task, signal: AbortSignal): Promise<Outcome> {
    const { adapter, out, jobs } = this.options;
    const { view } = this.context;
    let adapterLine: string | undefined;
    const outcome = await runParis(adapter ? [...task.args, '--adapter', adapter] : task.args, {
      command: this.context.paris,
      logFile: join(out, logOf(task)),
      signal,
      threads: Math.max(1, Math.floor(availableParallelism() / Math.min(jobs, stage.tasks.length))),
      onEvent: (event) => {
        if (event.type === 'progress') view.update(task, event);
        else if (event.type === 'notice') view.say(`  ${task.label}: ${event.message}`);
        else if (event.type === 'adapter') {
          adapterLine = event.line;
          if (!this.said.has(event.line)) view.say(event.line);
          this.said.add(event.line);
        }
      },
    });
    if (adapterLine) await this.ledger.setAdapter(adapterLine);
    return outcome;
  }
}

const logOf = (task: Task) => `${layout.logs}/${task.id}.log`;

/** Begins to measure a session of the ledger; it ends after what it took, though the clock may be set meanwhile. */
function beginSession(): () => [start: number, end: number] {
  const [start, began] = [Date.now(), performance.now()];
  return () => [start, start + Math.round(performance.now() - began)];
}
