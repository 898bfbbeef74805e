// log.jsonl: what the clock and the machine say of a training: speed, memory, checkpoints. Unlike metrics.jsonl it is different
// each time, and keeps what was made twice because a process died.
import type { FileStore } from '@paris/files';
import { appendLines } from './lines.js';
import type { Json } from './record.js';

export const LOG_FILE = 'log.jsonl';

/** Seconds between two lines about speed. */
const everySeconds = 10;

/** A line of log.jsonl; which fields there are depends on what it is about. */
export interface LogLine {
  step: number;
  /** ISO 8601, UTC. */
  time: string;
  /** Where a process began or resumed the training: on which adapter. */
  adapter?: string | undefined;
  /** Pictures a second since the line before. */
  imagesPerSecond?: number | undefined;
  /** Share of the time in which a step waited for its batch, 0 to 1. */
  waiting?: number | undefined;
  /** Memory that is taken on the device, and by the process. */
  deviceBytes?: number | undefined;
  hostBytes?: number | undefined;
  /** Of a checkpoint: its size, and the seconds from its copy to its last byte. */
  checkpointBytes?: number | undefined;
  checkpointSeconds?: number | undefined;
}

/** What is known of the machine while it trains. */
export interface Machine {
  /** Memory that is taken on the device. */
  deviceBytes?(): number;
  /** How long steps have waited for their batches so far, in milliseconds. */
  waitedMs?(): number;
}

export class RunLog {
  private last: { at: number; step: number; waitedMs: number } | undefined;

  constructor(
    private readonly store: FileStore,
    private readonly batchSize: number,
    private readonly machine: Machine,
  ) {}

  /** The training begins here, or resumes. */
  async begin(step: number, adapter: string): Promise<void> {
    this.last = { at: performance.now(), step, waitedMs: this.machine.waitedMs?.() ?? 0 };
    await this.add(step, { adapter });
  }

  /** A line about speed and memory, if it is time for one. @param always - at the end */
  async pace(step: number, always = false): Promise<void> {
    const { at, step: from, waitedMs: before } = this.last!;
    const now = performance.now();
    const seconds = (now - at) / 1000;
    if (step === from || (seconds < everySeconds && !always)) return;
    const waitedMs = this.machine.waitedMs?.() ?? 0;
    this.last = { at: now, step, waitedMs };
    await this.add(step, {
      imagesPerSecond: rounded(((step - from) * this.batchSize) / seconds),
      waiting: rounded((waitedMs - before) / 1000 / seconds),
      ...(this.machine.deviceBytes && { deviceBytes: this.machine.deviceBytes() }),
      ...hostMemory(),
    });
  }

  async checkpoint(step: number, sizeBytes: number, seconds: number): Promise<void> {
    await this.add(step, { checkpointBytes: sizeBytes, checkpointSeconds: rounded(seconds) });
  }

  private async add(step: number, fields: { [name: string]: Json }): Promise<void> {
    await appendLines(this.store, LOG_FILE, [{ step, time: new Date().toISOString(), ...fields }]);
  }
}

function hostMemory(): { hostBytes?: number } {
  const { process } = globalThis as { process?: { memoryUsage?(): { rss: number } } };
  const used = process?.memoryUsage?.();
  return used ? { hostBytes: used.rss } : {};
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
