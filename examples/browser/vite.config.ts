import { defineConfig } from 'vite';

/** Pages that are isolated from other origins have memory that threads share: without a GPU, all cores compute. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

// `--mode serve` is the page as @paris/serve has it: in front of a server, without a model of its own.
export default defineConfig(({ mode }) => ({
  base: './', // the pages work from any folder of a server
  publicDir: mode === 'serve' ? false : '../quickstart/model', // so model_index.json is next to the page
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    rolldownOptions: { input: mode === 'serve' ? 'index.html' : ['index.html', 'train.html'] },
  },
  server: { headers },
  preview: { headers },
}));
