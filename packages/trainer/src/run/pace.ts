// The speed of a training and the time left. For display only: the result of a training does not depend on the clock.

/** An event at most twice a second, and no more results left unread than this. */
const EVERY_MS = 500;
const MOST_PENDING = 64;

/** Needed before the time left is shown: steps and laps that were about equally fast, one at most twice as fast as another. */
const STEADY_STEPS = 5;
const STEADY_LAPS = 2;
const STEADY_RATIO = 2;

export class Pace {
  private began = 0;
  private first = 0;
  private lapAt = 0;
  private lapStep = 0;
  /** Where the steady steps began; the first lap, in which shaders are compiled, is none of them. */
  private base: { at: number; step: number; laps: number } | undefined;
  private steady = false;

  constructor(
    private readonly steps: number,
    private readonly batchSize: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param seconds - how long the steps before took, if that is known: they count as well then */
  begin(step: number, seconds?: number): void {
    this.lapAt = this.now();
    this.lapStep = step;
    this.began = this.lapAt - 1000 * (seconds ?? 0);
    this.first = seconds === undefined ? step : 0;
  }

  /** How long all steps have taken so far; undefined if those before this process are not known. */
  get seconds(): number | undefined {
    return this.first === 0 ? (this.now() - this.began) / 1000 : undefined;
  }

  isDue(pending: number): boolean {
    return pending >= MOST_PENDING || this.now() - this.lapAt >= EVERY_MS;
  }

  /** Speed since the last lap; and the time left, once a few steps were equally fast. */
  lap(step: number): { imagesPerSecond: number; secondsLeft?: number } {
    const at = this.now();
    const [steps, ms] = [step - this.lapStep, at - this.lapAt];
    const imagesPerSecond = this.speed(steps, ms);
    const msPerStep = this.settle(at, step, ms / Math.max(1, steps));
    this.lapAt = at;
    this.lapStep = step;
    if (!this.steady && step < this.steps) return { imagesPerSecond };
    return { imagesPerSecond, secondsLeft: ((this.steps - step) * msPerStep) / 1000 };
  }

  /** Of all steps up to this one, or of those of this process if no more is known. */
  total(step: number): { seconds: number; imagesPerSecond: number } {
    const ms = this.now() - this.began;
    return { seconds: ms / 1000, imagesPerSecond: this.speed(step - this.first, ms) };
  }

  /** Takes a lap into account; milliseconds per step since the steady steps began. */
  private settle(at: number, step: number, lapMsPerStep: number): number {
    const { base } = this;
    if (!base) {
      this.base = { at, step, laps: 0 };
      return lapMsPerStep;
    }
    const before = base.laps === 0 ? lapMsPerStep : (this.lapAt - base.at) / (this.lapStep - base.step);
    const ratio = Math.max(before, lapMsPerStep) / Math.min(before, lapMsPerStep);
    if (!this.steady && !(ratio <= STEADY_RATIO)) {
      // The earlier laps do not predict later ones; this is the first that may.
      this.base = { at: this.lapAt, step: this.lapStep, laps: 1 };
      return lapMsPerStep;
    }
    base.laps++;
    this.steady ||= base.laps >= STEADY_LAPS && step - base.step >= STEADY_STEPS;
    return (at - base.at) / Math.max(1, step - base.step);
  }

  private speed(steps: number, ms: number): number {
    return ms > 0 ? (steps * this.batchSize * 1000) / ms : 0;
  }
}
