// Which pictures a card shows: what Markdown and HTML name beside it.

/** A place in Markdown: `<a b.png>`, or without spaces, where brackets come in pairs. */
const place = String.raw`(<[^<>\n]*>|(?:[^\s()<]|\([^\s()]*\))+)`;
const title = String.raw`(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?`;
const text = String.raw`\[((?:[^[\]]|\[[^\]]*\])*)\]`;

const inline = new RegExp(String.raw`!${text}\(\s*${place}${title}\s*\)`, 'g');
const reference = new RegExp(String.raw`!${text}(?:\[([^\]]*)\])?(?!\()`, 'g');
const definition = new RegExp(String.raw`^ {0,3}\[([^\]]+)\]:\s*${place}`, 'gm');
const tag = /<img\b[^>]*?\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;

/** The pictures of its own folder that a card shows, each as the card writes it. */
export function shownIn(card: string): string[] {
  const defined = new Map([...card.matchAll(definition)].map(([, label, to]) => [label!.toLowerCase(), to!]));
  const labels = [...card.matchAll(reference)].map(([, shown, label]) => (label || shown!).toLowerCase());
  const places = [
    ...[...card.matchAll(inline)].map(([, , to]) => to!),
    ...labels.flatMap((label) => defined.get(label) ?? []),
    ...[...card.matchAll(tag)].map(([, double, single, bare]) => double ?? single ?? bare!),
  ].map((to) => to.replace(/^<(.*)>$/, '$1'));
  return [...new Set(places)].filter((to) => isPicture(to) && !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(to));
}

/** What a place may be called in the folder: as it is written, and with its `%20` as characters. */
export function namesOf(to: string): string[] {
  const path = to.replace(/[?#].*$/s, '').replace(/^(?:\.\/)+/, '');
  try {
    return [path, decodeURIComponent(path)];
  } catch {
    return [path];
  }
}

function isPicture(to: string): boolean {
  return /\.(?:png|jpe?g|webp|gif|svg|avif)(?:[?#].*)?$/i.test(to);
}
