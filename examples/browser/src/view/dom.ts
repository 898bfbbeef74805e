// The few things that the page does with the DOM again and again.

/** The element that the page's HTML has for this selector. */
export function find<E extends Element = HTMLElement>(selector: string, under: ParentNode = document): E {
  const element = under.querySelector<E>(selector);
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

export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** What an error says, as a sentence. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^\[\w+\] /, '') : String(error);
}
