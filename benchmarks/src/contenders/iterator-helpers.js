// jax-js calls helpers of iterators, which Node has from 22 on.
const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
const helpers = {
  *map(fn) {
    let i = 0;
    for (const x of this) yield fn(x, i++);
  },
  *filter(fn) {
    let i = 0;
    for (const x of this) if (fn(x, i++)) yield x;
  },
  toArray() {
    return [...this];
  },
};
for (const [name, value] of Object.entries(helpers)) {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}
