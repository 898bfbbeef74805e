// The few things that the page does with the DOM again and again.

/** The element that the page's HTML has for this selector. */
export function find<E extends Element = HTMLElement>(selector: string): E {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}

/** An element with properties and children. Texts are texts, never markup. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** An element of SVG. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number>,
  text = '',
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}

/** `1,234` in the reader's language. */
export function number(value: number): string {
  return value.toLocaleString();
}

/** `12.3 MB`, `45 kB` */
export function fileSize(bytes: number): string {
  const [size, unit] = bytes < 1e6 ? [1e3, 'kB'] : [1e6, 'MB'];
  const count = bytes / (size as number);
  return `${count.toLocaleString(undefined, { maximumFractionDigits: count < 10 ? 1 : 0 })} ${unit}`;
}

/** `5 minutes` */
export function duration(seconds: number): string {
  const [size, unit] = seconds < 90 ? [1, 'second'] : seconds < 5400 ? [60, 'minute'] : [3600, 'hour'];
  const count = Math.max(1, Math.round(seconds / (size as number)));
  return `${number(count)} ${unit}${count === 1 ? '' : 's'}`;
}
