// The page's parts are HTML from template literals.
export { type Html, type HtmlValue as Value, html, trustedHtml as trusted } from '@paris/files';
