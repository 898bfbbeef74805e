// What this device does not do: textures, samplers, rendering. Each is a validation error that names it, and an object that
// is invalid, so that programs fail where a browser's would.

/** An invalid object of any kind: its methods do nothing and give further ones. */
export function invalidObject(kind: string, label = ''): object {
  const target = { label, [Symbol.toStringTag]: `GPU${kind}` };
  return new Proxy(target, {
    // Not a promise: `await` looks for then.
    get: (own, key) =>
      key in own || typeof key === 'symbol' || key === 'then' ? Reflect.get(own, key) : () => invalidObject(kind),
  });
}

/** Gives a class methods that refuse. `report` says it in that class's way. */
export function refuseOn<T extends object>(
  type: { readonly prototype: T },
  names: readonly (keyof T & string)[],
  report: (self: T, name: string, message: string) => void,
): void {
  for (const name of names) {
    const kind = name.replace(/^(create|begin|import)/, '').replace(/Async$/, '');
    const value = function (this: T, descriptor?: { label?: string }) {
      report(this, name, `${kind}: this device computes only; it has no textures, samplers or rendering.`);
      return invalidObject(kind, descriptor?.label);
    };
    Object.defineProperty(type.prototype, name, { value, configurable: true, writable: true });
  }
}
