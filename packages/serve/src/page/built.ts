// In a source tree: what `npm run build` made of examples/browser. In the package, `#page` is that module itself.

/** The page's files by path. */
export const files: Readonly<Record<string, string>> = await read();

async function read(): Promise<Readonly<Record<string, string>>> {
  const address = new URL('../../dist/page/files.js', import.meta.url).href;
  try {
    return ((await import(/* @vite-ignore */ address)) as { files: Record<string, string> }).files;
  } catch {
    return {};
  }
}
