// A reader of Python's pickles that knows only data: numbers, texts, lists, tuples, dictionaries, and the few
// names that are handed to it. Nothing is ever run: a name that is not among them is an error.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py

/** What a pickle can hold. Lists and tuples are arrays. `T` are the values that the caller's own names make. */
export type PickleValue<T> = null | boolean | number | string | PickleValue<T>[] | PickleMap<T> | PickleName<T> | T;
/** A dictionary. */
export type PickleMap<T> = Map<PickleValue<T>, PickleValue<T>>;

/** What a name of a pickle means. */
export class PickleName<T> {
  readonly name: string;
  /** What calling it gives; left out: it cannot be called. */
  readonly call: ((args: PickleValue<T>[]) => PickleValue<T>) | undefined;

  constructor(name: string, call?: (args: PickleValue<T>[]) => PickleValue<T>) {
    this.name = name;
    this.call = call;
  }
}

/** What a caller knows. */
export interface PickleNames<T> {
  /** By `module name`. */
  readonly names: ReadonlyMap<string, PickleName<T>>;
  /** A value that is stored elsewhere. */
  persistent(id: PickleValue<T>): PickleValue<T>;
}

/** A pickle that is not read, and why. The caller says of which file. */
export class PickleError extends Error {}

/**
 * The value of a pickle of protocol 2 to 5.
 * @throws PickleError for a name that is not known, for an instruction that is not data, for what was cut off
 */
export function readPickle<T>(bytes: Uint8Array, known: PickleNames<T>): PickleValue<T> {
  const machine = new Machine(bytes, known);
  for (;;) {
    const code = machine.uint(1);
    if (code === 0x2e) return machine.pop(); // STOP
    const instruction = instructions[code];
    if (!instruction) throw new PickleError(`it has the instruction 0x${code.toString(16)}, which is not read`);
    instruction(machine as Machine<unknown>);
  }
}

class Machine<T> {
  readonly known: PickleNames<T>;
  readonly memo = new Map<number, PickleValue<T>>();
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #stack: PickleValue<T>[] = [];
  readonly #marked: PickleValue<T>[][] = [];

  constructor(bytes: Uint8Array, known: PickleNames<T>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.known = known;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new PickleError('it was cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Little-endian; of 8 bytes at most 2^53. */
  uint(bytes: 1 | 2 | 4 | 8): number {
    return this.take(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  int32(): number {
    return this.uint(4) | 0;
  }

  float64(): number {
    this.take(8);
    return this.#view.getFloat64(this.#at - 8, false);
  }

  text(length: number): string {
    return utf8.decode(this.take(length));
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw new PickleError('it was cut off');
    const text = this.text(end - this.#at);
    this.#at += 1;
    return text;
  }

  push(value: PickleValue<T>): void {
    this.#stack.push(value);
  }

  pop(): PickleValue<T> {
    const value = this.#stack.pop();
    if (value === undefined) throw new PickleError('it takes more than it made');
    return value;
  }

  top(): PickleValue<T> {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new PickleError('it takes more than it made');
    return value;
  }

  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** What was made since the last mark. */
  marked(): PickleValue<T>[] {
    const outer = this.#marked.pop();
    if (!outer) throw new PickleError('it takes more than it made');
    const items = this.#stack;
    this.#stack = outer;
    return items;
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleError(`it recalls value ${index}, which it did not make`);
    this.push(value);
  }

  name(module: string, name: string): void {
    const found = this.known.names.get(`${module} ${name}`);
    if (!found) {
      const asked = JSON.stringify(`${module}.${name}`.slice(0, 80));
      throw new PickleError(
        `it asks for ${asked}, which is no tensor, number, list or dictionary; nothing of it is run`,
      );
    }
    this.push(found);
  }

  call(): void {
    const [args, callee] = [this.pop(), this.pop()];
    if (!(callee instanceof PickleName) || !callee.call || !Array.isArray(args))
      throw new PickleError('it calls what is no function');
    this.push(callee.call(args));
  }

  /** Puts pairs of key and value into the dictionary on top. */
  setItems(items: PickleValue<T>[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw new PickleError('it sets items of what is no dictionary');
    for (let i = 0; i < items.length; i += 2) {
      if (map.has(items[i]!))
        throw new PickleError(`it sets the key ${JSON.stringify(String(items[i])).slice(0, 80)} twice`);
      map.set(items[i]!, items[i + 1]!);
    }
  }

  append(items: PickleValue<T>[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError('it appends to what is no list');
    for (const item of items) list.push(item);
  }

  /** An object's attributes. An ordered dictionary has some, which are no items of it; only a namespace is made of them. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    if (!(object instanceof Map) || !(state instanceof Map))
      throw new PickleError('it sets attributes of what has none');
    if (object instanceof PickleNamespace) for (const [key, value] of state) object.set(key, value);
  }
}

/** `argparse.Namespace`, which is a dictionary by another name. */
export class PickleNamespace<T> extends Map<PickleValue<T>, PickleValue<T>> {}

const utf8 = new TextDecoder('utf-8', { fatal: false });

/** A whole number of any length, little-endian two's complement; as much as a number holds. */
function long(bytes: Uint8Array): number {
  const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  const signed = bytes.length > 0 && bytes.at(-1)! > 127 ? value - 256 ** bytes.length : value;
  if (!Number.isSafeInteger(signed)) throw new PickleError('it holds a whole number of more than 53 bits');
  return signed;
}

/** By code. A pickle that asks for anything else is refused. */
const instructions: Readonly<Record<number, (machine: Machine<unknown>) => void>> = {
  128: (m) => {
    const protocol = m.uint(1);
    if (protocol > 5) throw new PickleError(`it is of protocol ${protocol}; 2 to 5 are read`);
  },
  149: (m) => void m.take(8), // FRAME: how many bytes come next
  40: (m) => m.mark(),
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  74: (m) => m.push(m.int32()),
  75: (m) => m.push(m.uint(1)),
  77: (m) => m.push(m.uint(2)),
  138: (m) => m.push(long(m.take(m.uint(1)))),
  71: (m) => m.push(m.float64()),
  88: (m) => m.push(m.text(m.uint(4))),
  140: (m) => m.push(m.text(m.uint(1))),
  141: (m) => m.push(m.text(m.uint(8))),
  84: (m) => m.push(m.text(m.uint(4))), // texts of Python 2
  85: (m) => m.push(m.text(m.uint(1))),
  93: (m) => m.push([]),
  108: (m) => m.push(m.marked()),
  97: (m) => m.append([m.pop()]),
  101: (m) => m.append(m.marked()),
  41: (m) => m.push([]), // an empty tuple
  116: (m) => m.push(m.marked()),
  133: (m) => m.push([m.pop()]),
  134: (m) => m.push([m.pop(), m.pop()].reverse()),
  135: (m) => m.push([m.pop(), m.pop(), m.pop()].reverse()),
  125: (m) => m.push(new Map()),
  115: (m) => m.setItems([m.pop(), m.pop()].reverse()),
  117: (m) => m.setItems(m.marked()),
  113: (m) => m.remember(m.uint(1)),
  114: (m) => m.remember(m.uint(4)),
  148: (m) => m.remember(m.memo.size),
  104: (m) => m.recall(m.uint(1)),
  106: (m) => m.recall(m.uint(4)),
  48: (m) => void m.pop(),
  99: (m) => m.name(m.line(), m.line()),
  147: (m) => {
    const [name, module] = [m.pop(), m.pop()];
    m.name(String(module), String(name));
  },
  82: (m) => m.call(),
  129: (m) => m.call(), // NEWOBJ: a class and its arguments
  98: (m) => m.build(),
  81: (m) => m.push(m.known.persistent(m.pop())),
};
