import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the page works from any folder of a server
  publicDir: '../quickstart/model', // so model_index.json lies beside the page
  worker: { format: 'es' },
  build: { target: 'es2022' },
});
