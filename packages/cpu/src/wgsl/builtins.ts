// Built-in functions on values: their overloads, one line each, and how one is chosen.
// https://www.w3.org/TR/WGSL/#builtin-functions and https://www.w3.org/TR/WGSL/#overload-resolution-section
import {
  type AnyMatrix,
  type AnyStruct,
  type AnyType,
  layOut,
  matrixType,
  rankOf,
  type Scalar,
  scalarOf,
  scalarType,
  shaped,
  vectorType,
} from './types.js';

/**
 * Overloads: which scalars, then what goes in, then what comes out. `T` is a scalar or vector, `V` a vector (`V3` of three),
 * `S` its scalar, `B`, `U` and `I` the same shape of bool, u32 and signed integers, `M` a matrix; other words are types.
 * Scalars: `n` numbers, `f` floats, `i` concrete integers, `s` signed numbers, `x` everything.
 */
const TABLE: Readonly<Record<string, string>> = {
  'acos acosh asin asinh atan atanh ceil cos cosh degrees exp exp2 floor fract inverseSqrt log log2 radians round saturate sin sinh sqrt tan tanh trunc':
    'f T T',
  'atan2 pow step': 'f T,T T',
  'fma smoothstep': 'f T,T,T T',
  mix: 'f T,T,T T|f V,V,S V',
  abs: 'n T T',
  sign: 's T T',
  'max min': 'n T,T T',
  clamp: 'n T,T,T T',
  'countLeadingZeros countOneBits countTrailingZeros firstLeadingBit firstTrailingBit reverseBits': 'i T T',
  extractBits: 'i T,u32,u32 T',
  insertBits: 'i T,T,u32,u32 T',
  select: 'x T,T,B T|x V,V,bool V',
  'any all': 'b T bool',
  dot: 'n V,V S',
  cross: 'f V3,V3 V3',
  distance: 'f T,T S',
  length: 'f T S',
  normalize: 'f V V',
  faceForward: 'f V,V,V V',
  reflect: 'f V,V V',
  refract: 'f V,V,S V',
  ldexp: 'f T,I T',
  'frexp modf': 'f T R',
  transpose: 'f M M',
  determinant: 'f M S',
  quantizeToF16: 'q T T',
  dot4U8Packed: 'x u32,u32 u32',
  dot4I8Packed: 'x u32,u32 i32',
  'pack4x8snorm pack4x8unorm': 'x vec4<f32> u32',
  'pack2x16snorm pack2x16unorm pack2x16float': 'x vec2<f32> u32',
  'pack4xI8 pack4xI8Clamp': 'x vec4<i32> u32',
  'pack4xU8 pack4xU8Clamp': 'x vec4<u32> u32',
  'unpack4x8snorm unpack4x8unorm': 'x u32 vec4<f32>',
  'unpack2x16snorm unpack2x16unorm unpack2x16float': 'x u32 vec2<f32>',
  unpack4xI8: 'x u32 vec4<i32>',
  unpack4xU8: 'x u32 vec4<u32>',
  // Subgroups: collective, never constant.
  'subgroupAdd subgroupExclusiveAdd subgroupInclusiveAdd subgroupMul subgroupExclusiveMul subgroupInclusiveMul subgroupMax subgroupMin':
    'n T T',
  'subgroupAnd subgroupOr subgroupXor': 'i T T',
  'subgroupAll subgroupAny': 'x bool bool',
  subgroupElect: 'x  bool',
  subgroupBallot: 'x bool vec4<u32>',
  'subgroupBroadcast quadBroadcast': 'n T,u32 T|n T,i32 T',
  'subgroupBroadcastFirst quadSwapX quadSwapY quadSwapDiagonal': 'n T T',
  subgroupShuffle: 'n T,u32 T|n T,i32 T',
  'subgroupShuffleUp subgroupShuffleDown subgroupShuffleXor': 'n T,u32 T',
};

/** In the order of preference that conversion ranks give. */
const CLASSES: Readonly<Record<string, readonly Scalar[]>> = {
  n: ['AbstractInt', 'i32', 'u32', 'AbstractFloat', 'f32', 'f16'],
  f: ['AbstractFloat', 'f32', 'f16'],
  i: ['i32', 'u32'],
  s: ['AbstractInt', 'i32', 'AbstractFloat', 'f32', 'f16'],
  x: ['AbstractInt', 'i32', 'u32', 'AbstractFloat', 'f32', 'f16', 'bool'],
  b: ['bool'],
  q: ['f32'],
};

interface Overload {
  readonly scalars: readonly Scalar[];
  readonly parameters: readonly string[];
  readonly result: string;
}

const overloads = new Map<string, readonly Overload[]>();
for (const [names, text] of Object.entries(TABLE)) {
  const list = text.split('|').map((one): Overload => {
    const [scalars, parameters, result] = one.split(' ') as [string, string, string];
    return { scalars: CLASSES[scalars]!, parameters: parameters === '' ? [] : parameters.split(','), result };
  });
  for (const name of names.split(' ')) overloads.set(name, list);
}

/** Built-ins that all invocations of a subgroup run together. */
export const isCollective = (name: string): boolean => /^(?:subgroup|quad)[A-Z]/.test(name) && overloads.has(name);

export const isBuiltin = (name: string): boolean => overloads.has(name);

export interface Signature {
  readonly parameters: readonly AnyType[];
  readonly result: AnyType;
}

/** Whether a built-in takes so many arguments. */
export const takes = (name: string, count: number): boolean =>
  overloads.get(name)!.some(({ parameters }) => parameters.length === count);

/**
 * The preferred overload.
 * @param constant - whether all arguments are constant expressions: otherwise nothing stays abstract
 */
export function resolve(name: string, given: readonly AnyType[], constant: boolean): Signature | undefined {
  const settled = constant && !isCollective(name);
  for (const overload of overloads.get(name)!) {
    const found = overload.parameters.length === given.length ? match(name, overload, given, settled) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function match(name: string, overload: Overload, given: readonly AnyType[], constant: boolean): Signature | undefined {
  let size: number | undefined;
  let matrix: AnyMatrix | undefined;
  let abstract = constant;
  const sources: Scalar[] = [];
  for (const [i, type] of given.entries()) {
    const parameter = overload.parameters[i]!;
    if (!/^[A-Z]/.test(parameter)) continue;
    if ((parameter === 'M') !== (type.kind === 'matrix')) return undefined;
    if (type.kind === 'matrix') matrix = type;
    else if (type.kind !== 'scalar' && type.kind !== 'vector') return undefined;
    else if (parameter === 'S') {
      if (type.kind !== 'scalar') return undefined;
    } else {
      const width = type.kind === 'vector' ? type.size : 1;
      if ((size ?? width) !== width || (parameter[0] === 'V' && width === 1)) return undefined;
      if (parameter.length > 1 && width !== Number(parameter[1])) return undefined;
      size = width;
    }
    if (/^[TVSM]/.test(parameter)) sources.push(scalarOf(type)!);
    // ldexp(1.5, 3i): an exponent of a concrete type wants a concrete number.
    if (parameter === 'I' && scalarOf(type) === 'i32') abstract = false;
  }
  const scalar = preferred(sources, overload.scalars, abstract);
  if (scalar === undefined) return undefined;
  const expand = (word: string): AnyType => {
    switch (word[0]) {
      case 'T':
      case 'V':
        return shaped(size!, scalar);
      case 'S':
        return scalarType(scalar);
      case 'B':
        return shaped(size!, 'bool');
      case 'I':
        return shaped(size!, scalar === 'AbstractFloat' ? 'AbstractInt' : 'i32');
      case 'M':
        return matrixType(matrix!.columns, matrix!.rows, scalar);
      case 'R':
        return splitResult(name, size!, scalar);
      default:
        return named(word);
    }
  };
  const parameters = overload.parameters.map(expand);
  let result = expand(overload.result);
  if (name === 'transpose') result = matrixType(matrix!.rows, matrix!.columns, scalar);
  if (name === 'determinant' && matrix!.rows !== matrix!.columns) return undefined;
  const fits = given.every((type, i) => assignable(type, parameters[i]!));
  return fits ? { parameters, result } : undefined;
}

function named(word: string): AnyType {
  const [, size, scalar] = /^vec(\d)<(\w+)>$/.exec(word) ?? [];
  return size === undefined ? scalarType(word as Scalar) : vectorType(Number(size), scalar as Scalar);
}

function assignable(from: AnyType, to: AnyType): boolean {
  if (from.kind !== to.kind) return false;
  if (from.kind === 'vector' && from.size !== (to as typeof from).size) return false;
  return rankOf(scalarOf(from)!, scalarOf(to)!) !== undefined;
}

/** The first scalar of a list that all sources convert to. */
export function preferred(
  sources: readonly Scalar[],
  targets: readonly Scalar[],
  constant: boolean,
): Scalar | undefined {
  return targets.find(
    (target) =>
      (constant || !target.startsWith('Abstract')) && sources.every((source) => rankOf(source, target) !== undefined),
  );
}

/** What frexp and modf return. */
function splitResult(name: string, size: number, scalar: Scalar): AnyStruct {
  const suffix = scalar === 'AbstractFloat' ? 'abstract' : scalar;
  const whole = name === 'modf' ? scalar : scalar === 'AbstractFloat' ? 'AbstractInt' : 'i32';
  return layOut(`__${name}_result${size === 1 ? '' : `_vec${size}`}_${suffix}`, [
    { name: 'fract', type: shaped(size, scalar) },
    { name: name === 'modf' ? 'whole' : 'exp', type: shaped(size, whole) },
  ]);
}
