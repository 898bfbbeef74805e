// The page's only script: pointing at an expert, anywhere, dims the others everywhere. Without it the page loses nothing else.

export const script = `
(() => {
  const root = document.documentElement;
  const rule = document.head.appendChild(document.createElement('style'));
  let pinned = null;
  const show = (expert) => {
    rule.textContent = expert === null ? '' :
      '[data-expert]:not([data-expert="' + expert + '"]){opacity:.14!important}';
  };
  const expertOf = (target) => target instanceof Element
    ? target.closest('[data-focus]')?.dataset.focus ?? target.closest('svg [data-expert]')?.getAttribute('data-expert') ?? null
    : null;
  root.addEventListener('pointerover', (event) => show(expertOf(event.target) ?? pinned));
  root.addEventListener('focusin', (event) => show(expertOf(event.target) ?? pinned));
  root.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-focus]');
    if (!button) return;
    pinned = pinned === button.dataset.focus ? null : button.dataset.focus;
    for (const other of document.querySelectorAll('[data-focus]')) {
      other.setAttribute('aria-pressed', String(other.dataset.focus === pinned));
    }
    show(pinned);
  });
})();
`;
