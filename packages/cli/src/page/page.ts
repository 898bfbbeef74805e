// A page that stands alone: no script, nothing from elsewhere, light and dark.
import { type Html, html, trustedHtml } from '@paris/files';
import { encodePng, type RgbImage } from '@paris/sampler';

export function page(title: string, sections: readonly Html[]): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trustedHtml(style)}</style>
<h1>${title}</h1>
${sections}
</html>
`.markup;
}

export function section(title: string, ...content: readonly (Html | string)[]): Html {
  return html`<section>
<h2>${title}</h2>
${content}
</section>
`;
}

/** A picture; what it shows is in words for readers who do not see it, and appears under the pointer. */
export function picture(image: RgbImage, text: string): Html {
  const png = Buffer.from(encodePng(image)).toString('base64');
  return html`<img src="data:image/png;base64,${png}" width="${image.width}" height="${image.height}" alt="${text}" title="${text}">`;
}

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
img { width: 4rem; height: auto; image-rendering: pixelated; vertical-align: top; margin: 0 .25rem .25rem 0; }
pre { overflow-x: auto; font-size: .8rem; }
figure { margin: 0 0 1rem; }
.sampled { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: flex-start; }
.sampled img { width: 6rem; }
.failed { color: light-dark(#b00020, #ff8a80); font-weight: 600; }
svg { max-width: 100%; height: auto; }
`;
