import { existsSync } from 'node:fs';

/** The browser in which pages are tested, if there is one on this machine. */
export const CHROMIUM = [process.env.PARIS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
