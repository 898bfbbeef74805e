// What WebIDL does with arguments: conversions that throw a TypeError before anything else happens.

/** [EnforceRange] unsigned long, or unsigned long long with `most` = Number.MAX_SAFE_INTEGER. */
export function integer(value: unknown, what: string, most = 0xffff_ffff): number {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= most))
    throw new TypeError(`${what} must be an integer from 0 to ${most}, not ${String(value)}.`);
  return number;
}

export function size64(value: unknown, what: string): number {
  return integer(value, what, Number.MAX_SAFE_INTEGER);
}

/** A value of an optional argument. */
export function optional<T>(value: unknown, convert: (value: unknown, what: string) => T, what: string): T | undefined {
  return value === undefined ? undefined : convert(value, what);
}

export function dictionary<T extends object>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    throw new TypeError(`${what} must be an object.`);
  }
  return value;
}

export function sequence<T>(value: Iterable<T> | undefined | null, what: string): T[] {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
    throw new TypeError(`${what} must be a sequence.`);
  }
  return [...value];
}

/** An object of ours. */
export function instance<T>(value: unknown, type: abstract new (...parameters: never[]) => T, what: string): T {
  if (!(value instanceof type)) throw new TypeError(`${what} is not one of this GPU's objects of that kind.`);
  return value;
}

/** The bytes of a BufferSource, without a copy. */
export function bytesOf(data: unknown, what: string): { bytes: Uint8Array; elementBytes: number } {
  if (ArrayBuffer.isView(data)) {
    const elementBytes = (data as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), elementBytes };
  }
  const name = Object.prototype.toString.call(data);
  if (name !== '[object ArrayBuffer]' && name !== '[object SharedArrayBuffer]') {
    throw new TypeError(`${what} must be an ArrayBuffer or a view of one.`);
  }
  return { bytes: new Uint8Array(data as ArrayBuffer), elementBytes: 1 };
}
