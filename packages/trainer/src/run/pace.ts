// How fast a training goes and how long it will take. Only for people: nothing that is trained depends on the clock.

/** An event at most twice a second, and no more results left unread than this. */
const EVERY_MS = 500;
const MOST_PENDING = 64;

export class Pace {
  private began = 0;
  private first = 0;
  private lapAt = 0;
  private lapStep = 0;
  private afterFirst: { at: number; step: number } | undefined;

  constructor(
    private readonly steps: number,
    private readonly batchSize: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  begin(step: number): void {
    this.began = this.lapAt = this.now();
    this.first = this.lapStep = step;
  }

  isDue(pending: number): boolean {
    return pending >= MOST_PENDING || this.now() - this.lapAt >= EVERY_MS;
  }

  /** Speed since the last lap; the time left is judged by all laps but the first, in which shaders are compiled. */
  lap(step: number): { imagesPerSecond: number; secondsLeft: number } {
    const at = this.now();
    const imagesPerSecond = this.speed(step - this.lapStep, at - this.lapAt);
    const base = this.afterFirst ?? { at: this.began, step: this.first };
    const msPerStep = (at - base.at) / Math.max(1, step - base.step);
    this.afterFirst ??= { at, step };
    this.lapAt = at;
    this.lapStep = step;
    return { imagesPerSecond, secondsLeft: ((this.steps - step) * msPerStep) / 1000 };
  }

  total(step: number): { seconds: number; imagesPerSecond: number } {
    const ms = this.now() - this.began;
    return { seconds: ms / 1000, imagesPerSecond: this.speed(step - this.first, ms) };
  }

  private speed(steps: number, ms: number): number {
    return ms > 0 ? (steps * this.batchSize * 1000) / ms : 0;
  }
}
