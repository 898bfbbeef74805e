// Two open typefaces, put into the page so that it looks the same everywhere.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const faces = [
  {
    family: 'Inter',
    style: 'normal',
    weight: '100 900',
    file: '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2',
  },
  {
    family: 'Newsreader',
    style: 'normal',
    weight: '200 800',
    file: '@fontsource-variable/newsreader/files/newsreader-latin-wght-normal.woff2',
  },
  {
    family: 'Newsreader',
    style: 'italic',
    weight: '200 800',
    file: '@fontsource-variable/newsreader/files/newsreader-latin-wght-italic.woff2',
  },
];

/** `@font-face` rules whose sources are data URIs. */
export async function fontCss(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const rules = faces.map(async ({ family, style, weight, file }) => {
    const base64 = (await readFile(resolve(file))).toString('base64');
    return `@font-face{font-family:${family};font-style:${style};font-weight:${weight};src:url(data:font/woff2;base64,${base64}) format('woff2')}`;
  });
  return (await Promise.all(rules)).join('');
}
