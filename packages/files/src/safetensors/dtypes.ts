import { fromBfloats, toBfloats } from '../numbers/bfloat.js';
import { fromHalves, toHalves } from '../numbers/half.js';

/**
 * Element types of arrays on the host. f16 and bf16 are read into a Float32Array, which holds all their values; bool
 * is a Uint32Array of 0 and 1, as `Tensor.read` gives it; u8 has no tensor type of its own and becomes u32 on a device.
 */
export type HostDType = 'f32' | 'f16' | 'bf16' | 'i32' | 'u32' | 'u8' | 'bool';

/** The typed array of a {@link HostDType}. */
export type HostData = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array on the host: elements in row-major order. */
export interface HostTensor {
  readonly data: HostData;
  readonly shape: readonly number[];
  readonly dtype: HostDType;
}

/** How a dtype is written in a file. `read` gets bytes whose start may be unaligned; `write` is absent where we only read. */
export interface FileDType {
  readonly bytes: number;
  readonly host: HostDType;
  read(bytes: Uint8Array): HostData | undefined;
  write?(data: HostData): Uint8Array;
}

/** The dtypes of a file by their names there. `read` gives undefined where a value does not fit the host's dtype. */
export const fileDTypes: Readonly<Record<string, FileDType>> = {
  F32: { bytes: 4, host: 'f32', read: (b) => new Float32Array(aligned(b)), write: view },
  // What does not fit becomes infinity, which loading a model refuses.
  F64: { bytes: 8, host: 'f32', read: (b) => new Float32Array(new Float64Array(aligned(b))) },
  F16: {
    bytes: 2,
    host: 'f16',
    read: (b) => fromHalves(new Uint16Array(aligned(b))),
    write: (data) => view(toHalves(data)),
  },
  BF16: {
    bytes: 2,
    host: 'bf16',
    read: (b) => fromBfloats(new Uint16Array(aligned(b))),
    write: (data) => view(toBfloats(data)),
  },
  I32: { bytes: 4, host: 'i32', read: (b) => new Int32Array(aligned(b)), write: view },
  U32: { bytes: 4, host: 'u32', read: (b) => new Uint32Array(aligned(b)), write: view },
  U8: { bytes: 1, host: 'u8', read: (b) => new Uint8Array(aligned(b)), write: view },
  BOOL: {
    bytes: 1,
    host: 'bool',
    read: (b) => Uint32Array.from(b, (value) => (value === 0 ? 0 : 1)),
    write: (data) => Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)),
  },
  // Indices and counters of other frameworks: read where they fit 32 bits, as nearly all do.
  I64: { bytes: 8, host: 'i32', read: narrow },
};

function narrow(bytes: Uint8Array): Int32Array | undefined {
  const wide = new BigInt64Array(aligned(bytes));
  const data = Int32Array.from(wide, Number);
  return data.every((value, i) => BigInt(value) === wide[i]) ? data : undefined;
}

/** The bytes in a buffer of their own, from its start, if they are not already. Files are little-endian, as we are. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const own = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  // Not slice(): of Node's Buffer that is a view.
  return (own ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
}

function view(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
