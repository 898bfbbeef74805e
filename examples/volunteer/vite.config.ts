import { defineConfig } from 'vite';

/** As `src/server/headers.js` sends them: isolated from other origins, a page without a GPU computes on all cores. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './', // the page works from any folder of a server
  worker: { format: 'es' },
  build: { target: 'es2022' },
  server: { headers },
});
