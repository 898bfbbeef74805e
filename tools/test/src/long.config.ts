// Checks that take minutes or gigabytes and are run by hand: npm run test:long -- NAME. `npm test` leaves them out.
import type { ViteUserConfig } from 'vitest/config';
import base from '../../../vitest.config.js';

const config: ViteUserConfig = {
  ...base,
  test: { ...base.test, include: ['packages/*/src/**/*.long.testing.ts'], disableConsoleIntercept: true },
};
export default config;
