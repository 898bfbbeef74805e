// Types that a text spells, and values made from types: constructors and conversions.
// https://www.w3.org/TR/WGSL/#type-expressions and https://www.w3.org/TR/WGSL/#constructor-builtin-function

import type { AccessMode, AddressSpace, Type } from '../program/types.js';
import { say } from '../say.js';
import { preferred } from './builtins.js';
import { mapValue, zeroValue } from './constants.js';
import { ExpressionChecker } from './expressions.js';
import { type Span, WgslError } from './lexer.js';
import { convertScalar } from './scalars.js';
import { type Operand, Stage } from './scope.js';
import type { NameSyntax, Syntax } from './syntax.js';
import {
  type AnyArray,
  type AnyMatrix,
  type AnyType,
  type AnyVector,
  arrayType,
  concrete,
  converts,
  depthOf,
  I32,
  isConstructible,
  isFixed,
  isFloat,
  matrixType,
  type Scalar,
  SPACES,
  sameType,
  scalarOf,
  scalarType,
  shaped,
  show,
  vectorType,
  widthOf,
} from './types.js';

const SHORT: Readonly<Record<string, Scalar>> = { f: 'f32', h: 'f16', i: 'i32', u: 'u32' };
const EVERY: readonly Scalar[] = ['AbstractInt', 'i32', 'u32', 'AbstractFloat', 'f32', 'f16', 'bool'];
const FLOATS: readonly Scalar[] = ['AbstractFloat', 'f32', 'f16'];

/** `vec3` or `array` without their parameters: what they hold follows from the arguments. */
export type Generator =
  | { readonly kind: 'vector'; readonly size: number }
  | { readonly kind: 'array' }
  | {
      readonly kind: 'matrix';
      readonly columns: number;
      readonly rows: number;
    };

export abstract class TypeChecker extends ExpressionChecker {
  type(syntax: Syntax): AnyType {
    if (syntax.kind !== 'name') return this.fail(syntax.at, say`This is no type.`);
    const found = this.typeOrGenerator(syntax);
    if (found === undefined) return this.fail(syntax.at, say`There is no type "${syntax.name}".`);
    if ('generator' in found)
      return this.fail(syntax.at, say`"${syntax.name}" needs its parameters: "${syntax.name}<…>".`);
    return found.type;
  }

  /** What a name is as a type; undefined if it is none. */
  protected typeOrGenerator(syntax: NameSyntax): { type: AnyType } | { generator: Generator } | undefined {
    const { name, template, at } = syntax;
    const entity = this.lookup(syntax);
    if (entity !== undefined) {
      if (entity.kind !== 'type') return undefined;
      if (template !== undefined) this.fail(at, say`"${name}" takes no parameters.`);
      return { type: entity.type };
    }
    const [, vectors, short] = /^vec([234])([fhiu]?)$/.exec(name) ?? [];
    const [, columns, rows, float] = /^mat([234])x([234])([fh]?)$/.exec(name) ?? [];
    if (template === undefined) {
      if (/^(?:bool|i32|u32|f32|f16)$/.test(name)) return { type: scalarType(this.scalar(name, at)) };
      if (vectors !== undefined) {
        if (short === '') return { generator: { kind: 'vector', size: Number(vectors) } };
        return { type: vectorType(Number(vectors), this.scalar(SHORT[short!]!, at)) };
      }
      if (columns !== undefined) {
        if (float === '') return { generator: { kind: 'matrix', columns: Number(columns), rows: Number(rows) } };
        return { type: matrixType(Number(columns), Number(rows), this.scalar(SHORT[float!]!, at)) };
      }
      if (name === 'array') return { generator: { kind: 'array' } };
      if (name === 'ptr' || name === 'atomic') this.fail(at, say`"${name}" needs its parameters: "${name}<…>".`);
    }
    if (/^(?:texture_|sampler)/.test(name))
      throw new WgslError(at, say`${name} is not supported: only compute shaders without textures are.`, true);
    if (template === undefined) return undefined;
    const count =
      { array: [1, 2], ptr: [2, 3], atomic: [1, 1] }[name] ?? (short === '' || float === '' ? [1, 1] : undefined);
    if (count === undefined) return undefined;
    if (template.length < count[0]! || template.length > count[1]!) {
      this.fail(
        at,
        say`"${name}" takes ${count[0] === count[1] ? count[0] : count.join(' or ')} parameter${count[1] === 1 ? '' : 's'}.`,
      );
    }
    return { type: this.generated(name, template, vectors, columns, rows, at) };
  }

  private scalar(name: string, at: Span): Scalar {
    if (name === 'f16' && !this.module.enabled('f16')) this.fail(at, say`f16 needs "enable f16;".`);
    return name as Scalar;
  }

  private generated(
    name: string,
    template: readonly Syntax[],
    size: string | undefined,
    columns: string | undefined,
    rows: string | undefined,
    at: Span,
  ): AnyType {
    const [first] = template;
    if (name === 'ptr') return this.pointer(template);
    const inner = this.type(first!);
    if (name === 'array') return this.array(inner, template, at);
    const scalar = inner.kind === 'scalar' ? inner.scalar : undefined;
    if (name === 'atomic') {
      if (scalar === 'i32' || scalar === 'u32') return { kind: 'atomic', scalar };
      return this.fail(first!.at, say`An atomic is of i32 or u32, not ${show(inner)}.`);
    }
    if (scalar === undefined || (columns !== undefined && !isFloat(scalar))) {
      this.fail(first!.at, say`"${name}" cannot be of ${show(inner)}.`);
    }
    return size !== undefined ? vectorType(Number(size), scalar) : matrixType(Number(columns), Number(rows), scalar);
  }

  private array(element: AnyType, [first, length]: readonly Syntax[], at: Span): AnyType {
    if (
      element.kind === 'pointer' ||
      !isFixed(element) ||
      (element.kind === 'array' && element.pending !== undefined)
    ) {
      this.fail(first!.at, say`An array cannot have elements of ${show(element)}.`);
    }
    if (depthOf(element) >= 15) this.fail(at, say`Types are nested more than 15 deep.`);
    if (length === undefined) return arrayType(element, undefined);
    const { operand, value } = this.integer(length, 'The length of an array', Stage.Override);
    if (value === undefined) return arrayType(element, 1, length.kind === 'name' ? length.name : length);
    if (value < 1) this.fail(length.at, say`An array has at least one element, not ${value}.`);
    // With a length that an override decides it stays a type of its own: only workgroup variables have it.
    return arrayType(
      element,
      value,
      operand.stage === Stage.Override ? (length.kind === 'name' ? length.name : length) : undefined,
    );
  }

  private pointer([space, target, access]: readonly Syntax[]): AnyType {
    const where = this.space(space!);
    const type = this.type(target!);
    const mode = access === undefined ? SPACES[where] : this.access(access, where);
    if (type.kind === 'pointer') this.fail(target!.at, say`A pointer cannot point at a pointer.`);
    return { kind: 'pointer', space: where, access: mode, target: type };
  }

  /** A name of WGSL's own that is not an entity: an address space, an access mode. A declaration of that name hides it. */
  private enumerant(syntax: Syntax, what: string): string {
    if (syntax.kind !== 'name') return '';
    const hidden = this.lookup(syntax);
    if (hidden) this.fail(syntax.at, say`"${syntax.name}" is a ${hidden.kind} here, not an ${what}.`);
    return syntax.name;
  }

  protected space(syntax: Syntax): AddressSpace {
    const name = this.enumerant(syntax, 'address space');
    if (!Object.hasOwn(SPACES, name))
      this.fail(syntax.at, say`An address space is function, private, workgroup, uniform or storage.`);
    return name as AddressSpace;
  }

  protected access(syntax: Syntax, space: AddressSpace): AccessMode {
    const name = this.enumerant(syntax, 'access mode');
    if (space !== 'storage') this.fail(syntax.at, say`Only storage has an access mode, not ${space}.`);
    if (name !== 'read' && name !== 'read_write')
      this.fail(syntax.at, say`The access mode of storage is read or read_write.`);
    return name as AccessMode;
  }

  // ------------------------------------------------------------------------------------------------ constructors

  protected construct(type: AnyType, list: readonly Syntax[], at: Span): Operand {
    if (!isConstructible(type)) this.fail(at, say`${show(type)} cannot be constructed.`);
    if (list.length === 0) return this.zero(type, at);
    const parts = this.operands(list);
    switch (type.kind) {
      case 'scalar':
        if (parts.length === 1 && parts[0]!.type.kind === 'scalar') return this.conversion(type, parts[0]!, at);
        break;
      case 'vector':
        return this.vector(type, parts, at);
      case 'matrix':
        return this.matrixOf(type, parts, at);
      case 'array':
        return this.listed(type, parts, new Array(type.count).fill(type.element), at);
      case 'struct':
        return this.listed(
          type,
          parts,
          type.members.map((member) => member.type),
          at,
        );
    }
    return this.mismatch(type, parts, at);
  }

  private mismatch(type: AnyType, parts: readonly Operand[], at: Span): never {
    return this.fail(at, say`${show(type)} cannot be made from (${parts.map((part) => show(part.type)).join(', ')}).`);
  }

  private zero(type: AnyType, at: Span): Operand {
    // A large array is zero without a value for each of its elements.
    if (type.kind === 'array' && type.count! > 2047) {
      return { type, stage: Stage.Const, node: { kind: 'zero', type: type as Type, at }, at };
    }
    return { type, stage: Stage.Const, value: this.evaluate(at, type, () => zeroValue(type)), at };
  }

  /** `f32(x)`, `vec3u(v)`: explicit, so it may lose something. */
  private conversion(type: AnyType, operand: Operand, at: Span): Operand {
    if (sameType(type, operand.type)) return { ...operand, at };
    const from = operand.type;
    return this.result(
      at,
      type,
      [operand],
      ([value]) => mapValue(value!, (part) => convertScalar(scalarOf(from)!, scalarOf(type)!, part)),
      ([value], settled) => ({ kind: 'convert', value: value!, type: settled, at }),
    );
  }

  private vector(type: AnyVector, parts: readonly Operand[], at: Span): Operand {
    const [first] = parts;
    if (parts.length === 1 && first!.type.kind === 'vector' && first!.type.size === type.size) {
      return this.conversion(type, first!, at);
    }
    const scalar = scalarType(type.scalar);
    if (parts.length === 1 && first!.type.kind === 'scalar') {
      if (!converts(first!.type, scalar)) this.mismatch(type, parts, at);
      return { ...this.spread(this.convert(first!, scalar, 'The value'), type), at };
    }
    const widths = parts.map((part) =>
      part.type.kind === 'scalar' || part.type.kind === 'vector' ? widthOf(part.type) : 9,
    );
    const fits = parts.every((part, i) => widths[i]! <= 4 && converts(part.type, shaped(widths[i]!, type.scalar)));
    if (!fits || widths.reduce((sum, width) => sum + width, 0) !== type.size) this.mismatch(type, parts, at);
    const converted = parts.map((part, i) => this.convert(part, shaped(widths[i]!, type.scalar), 'A component'));
    return this.result(
      at,
      type,
      converted,
      (values) => values.flat(),
      (nodes, settled) => ({ kind: 'construct', parts: nodes, type: settled, at }),
    );
  }

  private matrixOf(type: AnyMatrix, parts: readonly Operand[], at: Span): Operand {
    const [first] = parts;
    const { columns, rows, scalar } = type;
    if (parts.length === 1 && first!.type.kind === 'matrix') {
      if (first!.type.columns !== columns || first!.type.rows !== rows) this.mismatch(type, parts, at);
      return this.conversion(type, first!, at);
    }
    const byColumn = parts.length === columns;
    const part = byColumn ? vectorType(rows, scalar) : scalarType(scalar);
    if ((!byColumn && parts.length !== columns * rows) || !parts.every((given) => converts(given.type, part))) {
      this.mismatch(type, parts, at);
    }
    return this.result(
      at,
      type,
      parts.map((given) => this.convert(given, part, 'A part of a matrix')),
      (values) =>
        byColumn ? values : Array.from({ length: columns }, (_, i) => values.slice(i * rows, (i + 1) * rows)),
      (nodes, settled) => ({ kind: 'construct', parts: nodes, type: settled, at }),
    );
  }

  /** Arrays and structures. */
  private listed(type: AnyType, parts: readonly Operand[], types: readonly AnyType[], at: Span): Operand {
    if (parts.length !== types.length) {
      this.fail(
        at,
        say`${show(type)} is made from ${types.length} value${types.length === 1 ? '' : 's'}, not ${parts.length}.`,
      );
    }
    const what = type.kind === 'array' ? 'An element' : 'A member';
    return this.result(
      at,
      type,
      parts.map((part, i) => this.convert(part, types[i]!, what)),
      (values) => values,
      (nodes, settled) => ({ kind: 'construct', parts: nodes, type: settled, at }),
    );
  }

  /** `vec3(…)`, `mat2x2(…)`, `array(…)`: what they hold is what their arguments have in common. */
  protected infer(generator: Generator, list: readonly Syntax[], at: Span): Operand {
    if (list.length === 0) {
      if (generator.kind === 'vector') return this.zero(vectorType(generator.size, 'AbstractInt'), at);
      return this.fail(at, say`Without arguments it is not known what this holds.`);
    }
    const parts = this.operands(list);
    const constant = parts.every((part) => part.stage === Stage.Const);
    if (generator.kind === 'array') return this.inferArray(parts, constant, at);
    const sources = parts.map((part) => scalarOf(part.type));
    const known = sources.every((source) => source !== undefined);
    const targets = generator.kind === 'matrix' ? FLOATS : EVERY;
    const scalar = known ? preferred(sources as Scalar[], targets, constant) : undefined;
    const shape =
      generator.kind === 'vector'
        ? vectorType(generator.size, scalar ?? 'f32')
        : matrixType(generator.columns, generator.rows, scalar ?? 'f32');
    if (scalar === undefined) this.mismatch(shape, parts, at);
    return shape.kind === 'vector' ? this.vector(shape, parts, at) : this.matrixOf(shape, parts, at);
  }

  private inferArray(parts: readonly Operand[], constant: boolean, at: Span): Operand {
    const [first] = parts;
    const candidates: AnyType[] = parts.map((part) => part.type);
    const wanted = candidates.find((type) => candidates.every((other) => converts(other, type))) ?? I32;
    const element = constant ? wanted : concrete(wanted);
    if (!parts.every((part) => converts(part.type, element)) || !isConstructible(first!.type)) {
      this.fail(at, say`The elements of this array have no type in common.`);
    }
    const type: AnyArray = arrayType(element, parts.length);
    return this.listed(type, parts, new Array(parts.length).fill(element), at);
  }
}
