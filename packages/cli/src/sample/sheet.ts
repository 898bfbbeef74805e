// Many pictures in one HTML file, each with how it was made.
import { html, trustedHtml } from '@paris/files';
import { encodePng, type RgbImage } from '@paris/sampler';
import { encodeMadePng, readPictureMetadata } from '@paris/sampler/metadata';

/** A contact sheet that needs no other file. Its bytes: thousands of pictures are more than a text can hold. */
export function htmlSheet(images: readonly RgbImage[], prompts: readonly string[], metadata: boolean): Uint8Array {
  const figures = images.map((image, i) => {
    const png = metadata ? encodeMadePng(image) : encodePng(image);
    const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    const { parameters = prompts[i]! } = readPictureMetadata(png);
    const { markup } =
      html`<figure><img src="${source}" alt="${prompts[i]}" title="${parameters}"><figcaption>${prompts[i]}</figcaption></figure>\n`;
    return Buffer.from(markup);
  });
  const head = html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${images.length} pictures</title>
<style>${trustedHtml(style)}</style>
<main>
`;
  return Buffer.concat([Buffer.from(head.markup), ...figures, Buffer.from('</main></html>\n')]);
}

const style = `
:root { color-scheme: light dark; font: 14px system-ui, sans-serif }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(144px, 1fr)); gap: 16px }
figure { margin: 0 } img { width: 100%; image-rendering: pixelated } figcaption { overflow-wrap: anywhere }
`;
