import { expect, it } from 'vitest';
import { html, trustedHtml } from './html.js';

it('escapes what is not markup, also in attributes and lists', () => {
  const evil = `<script>alert("1 & '2'")</script>`;
  const escaped = '&#60;script&#62;alert(&#34;1 &#38; &#39;2&#39;&#34;)&#60;/script&#62;';
  expect(html`<p title="${evil}">${[evil, 7]}</p>`.markup).toBe(`<p title="${escaped}">${escaped}7</p>`);
  expect(html`${html`<b>${'<'}</b>`}${trustedHtml('<i>')}${false}${undefined}`.markup).toBe('<b>&#60;</b><i>');
});

it('writes nothing that XML does not allow', () => {
  expect(html`${'a\u0000\u001b\u007f\u009b\ud800\uffffb\t\n😀'}`.markup).toBe(`a${'\ufffd'.repeat(6)}b\t\n😀`);
});
