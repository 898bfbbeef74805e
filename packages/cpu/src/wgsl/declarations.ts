// Checks the declarations of a module, each when it is first needed, so that the order in the text does not matter.
// https://www.w3.org/TR/WGSL/#declaration-and-scope

import type { Expression, GlobalVariable } from '../program/program.js';
import { type AccessMode, alignOf, sizeOf, type Type } from '../program/types.js';
import { say } from '../say.js';
import { convertValue, type Value } from './constants.js';
import { BUILTIN_VALUES, FunctionChecker } from './functions.js';
import type { Span } from './lexer.js';
import { EvaluationError } from './scalars.js';
import { type Entity, Stage } from './scope.js';
import type { Attribute, DeclarationSyntax, MemberSyntax, VariableSyntax } from './syntax.js';
import {
  type AnyStruct,
  type AnyType,
  depthOf,
  hasAtomic,
  isConstructible,
  isFixed,
  isFloat,
  isHostShareable,
  layOut,
  type MemberSource,
  SPACES,
  scalarType,
  show,
} from './types.js';

/** Checks one declaration. */
export class DeclarationChecker extends FunctionChecker {
  /** What a declaration declares. */
  declaration(syntax: DeclarationSyntax): Entity | undefined {
    const { at, name } = syntax;
    switch (syntax.kind) {
      case 'function':
        return { kind: 'function', info: this.functionOf(syntax), at };
      case 'struct':
        return { kind: 'type', type: this.struct(name, syntax.members, at), at };
      case 'alias':
        return { kind: 'type', type: this.type(syntax.type), at };
      case 'assert':
        this.assert(syntax.condition, at);
        return undefined;
      case 'var':
        return this.global(syntax);
      case 'override':
        return this.override(syntax);
      default:
        return this.constant(syntax);
    }
  }

  // ---------------------------------------------------------------------------------------------- values, variables

  private constant({ name, attributes, type: typeSyntax, initial, at }: VariableSyntax): Entity {
    this.attributes(attributes, {});
    const wanted = typeSyntax && this.type(typeSyntax);
    const found = this.loaded(initial!);
    if (found.stage !== Stage.Const) this.fail(initial!.at, say`The value of "${name}" must be a constant expression.`);
    return { kind: 'value', operand: wanted ? this.convert(found, wanted, `The value of "${name}"`) : found, at };
  }

  private override({ name, attributes, type: typeSyntax, initial, at }: VariableSyntax): Entity {
    const [id] = this.attributes(attributes, { id: 1 }).id ?? [];
    const number = id && this.integer(id, 'An id', Stage.Const).value;
    if (number !== undefined && (number < 0 || number > 65535))
      this.fail(id!.at, say`An id is from 0 to 65535, not ${number}.`);
    const wanted = typeSyntax && this.type(typeSyntax);
    let operand = initial && this.loaded(initial);
    if (operand && operand.stage > Stage.Override)
      this.fail(initial!.at, say`The value of "${name}" must be an override expression.`);
    if (operand) operand = wanted ? this.convert(operand, wanted, `The value of "${name}"`) : this.settled(operand);
    const type = wanted ?? operand?.type ?? this.fail(at, say`"${name}" needs a type or a value.`);
    if (type.kind !== 'scalar') this.fail(at, say`An override is a scalar, not ${show(type)}.`);
    const given = this.state.override(name, number, at);
    let value: Value | undefined;
    if (given !== undefined) value = this.evaluate(at, type, () => overrideValue(type, given));
    else if (this.state.specialised) {
      if (operand === undefined) this.fail(at, say`Override "${name}" has no value: give one in "constants".`);
      value = operand.value;
    }
    const node: Expression = { kind: 'zero', type: type as Type, at };
    return {
      kind: 'value',
      operand: { type, stage: Stage.Override, ...(value === undefined ? { node } : { value }), at },
      at,
    };
  }

  private global({ name, attributes, template, type: typeSyntax, initial, at }: VariableSyntax): Entity {
    const [first, second] = template;
    const { group, binding } = this.attributes(attributes, { group: 1, binding: 1 });
    const type = typeSyntax && this.type(typeSyntax);
    if (first === undefined)
      this.fail(at, say`"${name}" needs an address space: "var<storage>", "var<workgroup>" and so on.`);
    const space = this.space(first);
    if (space === 'function') this.fail(first.at, say`Outside functions no variable is in address space function.`);
    const access = second === undefined ? SPACES[space] : this.access(second, space);
    let operand = initial && this.loaded(initial);
    if (operand && space !== 'private')
      this.fail(initial!.at, say`A variable in ${space} memory has no initial value.`);
    if (operand && operand.stage > Stage.Override)
      this.fail(initial!.at, say`The value of "${name}" must be known when the pipeline is made.`);
    if (operand) operand = type ? this.convert(operand, type, `The value of "${name}"`) : this.settled(operand);
    const store = type ?? operand?.type ?? this.fail(at, say`"${name}" needs a type.`);
    this.checkStore(name, store, space, access, at);
    const resource = space === 'storage' || space === 'uniform';
    if (resource !== (group !== undefined && binding !== undefined) || (!resource && (group || binding))) {
      this.fail(
        at,
        resource ? say`"${name}" needs "@group(…) @binding(…)".` : say`A variable in ${space} memory has no binding.`,
      );
    }
    const place = resource && {
      group: this.natural(group!, 'A group'),
      binding: this.natural(binding!, 'A binding'),
    };
    const variable: GlobalVariable = {
      kind: 'global',
      name,
      type: store as Type,
      space,
      access,
      ...(place && { binding: place }),
      ...(operand && { initial: this.emit(operand) }),
      at,
    };
    return { kind: 'variable', variable, space, access, at };
  }

  private natural([syntax]: Attribute['arguments'], what: string): number {
    const { value } = this.integer(syntax!, what, Stage.Const);
    if (value! < 0) this.fail(syntax!.at, say`${what} cannot be negative.`);
    return value!;
  }

  private checkStore(name: string, type: AnyType, space: GlobalVariable['space'], access: AccessMode, at: Span): void {
    const refuse = (why: string) => this.fail(at, say`"${name}" cannot be in ${space} memory: ${why}.`);
    if (space === 'private' && !isConstructible(type)) refuse(say`${show(type)} cannot be constructed`);
    if (space === 'workgroup' && (!isFixed(type) || hasPointer(type))) refuse(say`${show(type)} has no fixed size`);
    if (space === 'private' || space === 'workgroup') return;
    if (!isHostShareable(type)) refuse(say`${show(type)} holds what buffers cannot`);
    if (isPending(type)) refuse(say`its size depends on an override`);
    if (space === 'storage' && access === 'read' && hasAtomic(type)) refuse(say`an atomic needs access read_write`);
    if (space === 'storage') return;
    if (!isConstructible(type)) refuse(say`${show(type)} cannot be constructed`);
  }

  // -------------------------------------------------------------------------------------------------- structures

  private struct(name: string, list: readonly MemberSyntax[], at: Span): AnyStruct {
    if (list.length === 0) this.fail(at, say`"${name}" has no members.`);
    if (list.length > 1023) this.fail(at, say`"${name}" has more than 1023 members.`);
    const names = new Set<string>();
    const inputs: (string | undefined)[] = [];
    const sources = list.map((member, i): MemberSource => {
      if (names.has(member.name)) this.fail(member.at, say`"${name}" has two members "${member.name}".`);
      names.add(member.name);
      const type = this.type(member.type);
      const last = i === list.length - 1;
      if (hasPointer(type) || isPending(type) || (!isFixed(type) && (!last || type.kind === 'struct'))) {
        this.fail(member.at, say`Member "${member.name}" cannot be ${show(type)}.`);
      }
      if (depthOf(type) >= 15) this.fail(member.at, say`Types are nested more than 15 deep.`);
      const found = this.attributes(member.attributes, {
        align: 1,
        size: 1,
        builtin: 1,
        location: 1,
        interpolate: [1, 2],
        invariant: 0,
        blend_src: 1,
      });
      const [builtin] = found.builtin ?? [];
      if (builtin && (builtin.kind !== 'name' || !BUILTIN_VALUES.has(builtin.name)))
        this.fail(builtin.at, say`There is no such built-in value.`);
      inputs.push(builtin ? (builtin.kind === 'name' ? builtin.name : '') : found.location ? '' : undefined);
      return { name: member.name, type, ...this.placement(found, type) };
    });
    const made = layOut(name, sources);
    this.state.inputs.set(made, inputs);
    return made;
  }

  private placement(
    { align, size }: Record<string, Attribute['arguments']>,
    type: AnyType,
  ): { align?: number; size?: number } {
    const result: { align?: number; size?: number } = {};
    if (align !== undefined) {
      const value = this.natural(align, 'An alignment');
      if (value === 0 || value % alignOf(type as Type) !== 0 || (value & (value - 1)) !== 0) {
        this.fail(
          align[0]!.at,
          say`The alignment of ${show(type)} is a power of two and a multiple of ${alignOf(type as Type)}, not ${value}.`,
        );
      }
      result.align = value;
    }
    if (size !== undefined) {
      const value = this.natural(size, 'A size');
      if (!isFixed(type)) this.fail(size[0]!.at, say`A runtime-sized array has no size of its own.`);
      if (value < sizeOf(type as Type))
        this.fail(size[0]!.at, say`${show(type)} takes ${sizeOf(type as Type)} bytes, more than ${value}.`);
      result.size = value;
    }
    return result;
  }
}

/** A number that a pipeline gives, as a value of an override's type. */
function overrideValue(type: AnyType & { kind: 'scalar' }, given: number): Value {
  const { scalar } = type;
  if (scalar === 'bool') return !(given === 0 || Number.isNaN(given));
  if (!Number.isFinite(given)) throw new EvaluationError(say`The value of an override must be finite.`);
  if (isFloat(scalar)) return convertValue(scalarType('AbstractFloat'), type, given);
  return convertValue(scalarType('AbstractInt'), type, BigInt(Math.trunc(given)));
}

const hasPointer = (type: AnyType): boolean => type.kind === 'pointer' || type.kind === 'void';
const isPending = (type: AnyType): boolean =>
  type.kind === 'array' && (type.pending !== undefined || isPending(type.element));
