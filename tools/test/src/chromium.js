// The Chromium in which pages are tested.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where it is, if there is one on this machine. */
export const CHROMIUM = [process.env.PARIS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

/** @param {readonly string[]} [flags] */
export function launchChromium(flags = []) {
  const args = ['--headless=new', '--no-sandbox', ...flags];
  return chromium.launch({ executablePath: CHROMIUM ?? '', args });
}
