// How a test says that it cannot run here. Never silently: the runner prints each reason, and a capability named in
// PARIS_REQUIRE (a comma-separated list) fails instead.
import type { TestContext } from 'vitest';

/** What a machine may lack. */
export type Capability =
  | 'adapter'
  | 'f16'
  | 'subgroups'
  | 'timestamps'
  | 'chromium'
  | 'deno'
  | 'bun'
  | 'netns'
  | 'mknod'
  | 'proc'
  | 'tmpfs'
  | 'registry'
  | 'slurm'
  | 'data';

/**
 * Does nothing if `available`; otherwise skips the running test with `reason`, or fails it if `PARIS_REQUIRE` names it.
 *
 * @example
 * it('adds in f16', async (context) => {
 *   requireCapability(context, 'f16', device.features.has('shader-f16'), 'the adapter has no shader-f16');
 * });
 */
export function requireCapability(
  context: TestContext,
  capability: Capability,
  available: boolean,
  reason: string,
): void {
  if (available) return;
  const required = (process.env.PARIS_REQUIRE ?? '').split(',').map((name) => name.trim());
  if (required.includes(capability)) throw new Error(`[test] PARIS_REQUIRE names ${capability}, but ${reason}.`);
  context.skip(`${capability}: ${reason}`);
}
