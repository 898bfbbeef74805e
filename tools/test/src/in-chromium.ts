// For tests of pages, in a real Chromium.
import type { TestContext } from 'vitest';
import { requireCapability } from './capability.js';
import { CHROMIUM } from './chromium.js';

export { launchChromium } from './chromium.js';

/** Whether there is one on this machine. */
export const hasChromium: boolean = CHROMIUM !== undefined;

/** Skips the running test where there is none, or fails it. */
export function requireChromium(context: TestContext): void {
  requireCapability(context, 'chromium', hasChromium, 'none is installed; PARIS_CHROMIUM names one that is elsewhere');
}
