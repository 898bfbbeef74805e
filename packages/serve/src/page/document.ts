// The OpenAPI document as a page.
import { html, trustedHtml } from '@paris/files';

/** What the server answers to, as a list. */
export function documentPage(document: Record<string, unknown>): string {
  const { paths, components } = document as {
    paths: Record<string, Record<string, { summary: string }>>;
    components: { schemas: { ImageRequest: { properties: Record<string, { description?: string }> } } };
  };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { summary }]) => html`<tr><td><code>${method.toUpperCase()} ${path}</code><td>${summary}`,
    ),
  );
  const fields = Object.entries(components.schemas.ImageRequest.properties).map(
    ([field, { description, ...schema }]) => {
      const shown = JSON.stringify(schema);
      return html`<tr><td><code>${field}</code><td>${description}<td><code>${shown.length > 160 ? 'see the document' : shown}</code>`;
    },
  );
  return html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>API</title>
<style>${trustedHtml(style)}</style>
<main><h1>API</h1><p><a href="/openapi.json">openapi.json</a></p>
<table><caption>Addresses</caption>${routes}</table>
<table><caption>Fields of a request</caption>${fields}</table></main></html>`.markup;
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 42rem; margin: auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto } td { padding: .25rem .75rem .25rem 0; vertical-align: top } caption { text-align: left; font-weight: 600 }`;
