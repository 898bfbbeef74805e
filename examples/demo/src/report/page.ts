// The page: one HTML file that needs nothing else, neither network nor other files.

import { html, trusted } from './html.js';
import { paletteCss } from './palette.js';
import { clusters, flow } from './parts/clusters.js';
import { controls, evaluation } from './parts/evaluation.js';
import { header } from './parts/header.js';
import { licences, run } from './parts/run.js';
import { released, samples } from './parts/samples.js';
import { router, training } from './parts/training.js';
import { script } from './script.js';
import { style } from './style.js';
import type { PageInput } from './types.js';

/**
 * Renders the page.
 * @param fontCss - `@font-face` rules with data URIs; without them the system's fonts serve
 */
export function renderPage(input: PageInput, fontCss = ''): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Paris: ${input.clusters.length} experts that never met</title>
<link rel="icon" href="data:,"><style>${trusted(fontCss)}${trusted(paletteCss(input.clusters.length))}${trusted(style)}</style></head>
<body><main>
${header(input)}
${samples(input)}
${released(input)}
${flow(input)}
${clusters(input)}
${training(input)}
${router(input)}
${evaluation(input)}
${controls(input)}
${run(input)}
${licences(input)}
</main><script>${trusted(script)}</script></body></html>
`.markup;
}
