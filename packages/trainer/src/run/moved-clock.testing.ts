// A monotonic clock that a test moves.
import { afterEach, beforeEach, vi } from 'vitest';

/** `performance.now()` of each test of this file: 1000 at first, and what the test adds to it. */
export function movedClock(): { passedMs: number } {
  const clock = { passedMs: 1000 };
  beforeEach(() => {
    clock.passedMs = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => clock.passedMs);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  return clock;
}
