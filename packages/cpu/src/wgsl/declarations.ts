// Checks the declarations of a module, each when it is first needed, so that the order in the text does not matter.
// https://www.w3.org/TR/WGSL/#declaration-and-scope
import type {
  BuiltinInput,
  EntryPoint,
  Expression,
  GlobalVariable,
  LocalVariable,
  Variable,
} from '../program/program.js';
import { alignOf, sizeOf, type Type } from '../program/types.js';
import { convertValue, type Value } from './constants.js';
import { type Span, WgslError } from './lexer.js';
import { type Entity, type FunctionInfo, type ModuleScope, Scope, type Severity, Stage } from './scope.js';
import { NEXT, RETURN, StatementChecker } from './statements.js';
import type { Attribute, DeclarationSyntax, FunctionSyntax, MemberSyntax, VariableSyntax } from './syntax.js';
import {
  type AnyStruct,
  type AnyType,
  depthOf,
  isConstructible,
  isFixed,
  isHostShareable,
  layOut,
  type MemberSource,
  SPACES,
  sameType,
  show,
  U32,
  uniformFault,
  VOID,
  vectorType,
} from './types.js';

const INPUTS: Readonly<Record<BuiltinInput, AnyType>> = {
  local_invocation_id: vectorType(3, 'u32'),
  local_invocation_index: U32,
  global_invocation_id: vectorType(3, 'u32'),
  workgroup_id: vectorType(3, 'u32'),
  num_workgroups: vectorType(3, 'u32'),
  subgroup_invocation_id: U32,
  subgroup_size: U32,
  subgroup_id: U32,
  num_subgroups: U32,
};
export const SEVERITIES: readonly string[] = ['error', 'warning', 'info', 'off'];
const STAGES = ['compute', 'vertex', 'fragment'] as const;

/** What a module's declarations share, and the attributes of members of structures. */
export interface ModuleState extends ModuleScope {
  /** Value of an override: given, or undefined while none are given. */
  override(name: string, id: number | undefined, at: Span): number | undefined;
  /** Whether overrides have their values. */
  readonly specialised: boolean;
  readonly inputs: Map<AnyStruct, readonly (string | undefined)[]>;
}

/** Checks one declaration. */
export class DeclarationChecker extends StatementChecker {
  protected returns: AnyType = VOID;
  private readonly globals = new Set<GlobalVariable>();
  private function = false;

  constructor(private readonly state: ModuleState) {
    super(state);
  }

  protected override inFunction(): boolean {
    return this.function;
  }

  protected override noteVariable(variable: Variable): void {
    if (variable.kind === 'global') this.globals.add(variable);
  }

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
    if (found.stage !== Stage.Const) this.fail(initial!.at, `The value of "${name}" must be a constant expression.`);
    return { kind: 'value', operand: wanted ? this.convert(found, wanted, `The value of "${name}"`) : found, at };
  }

  private override({ name, attributes, type: typeSyntax, initial, at }: VariableSyntax): Entity {
    const [id] = this.attributes(attributes, { id: 1 }).id ?? [];
    const number = id && this.integer(id, 'An id', Stage.Const).value;
    if (number !== undefined && (number < 0 || number > 65535))
      this.fail(id!.at, `An id is from 0 to 65535, not ${number}.`);
    const wanted = typeSyntax && this.type(typeSyntax);
    let operand = initial && this.loaded(initial);
    if (operand && operand.stage > Stage.Override)
      this.fail(initial!.at, `The value of "${name}" must be an override expression.`);
    if (operand) operand = wanted ? this.convert(operand, wanted, `The value of "${name}"`) : this.settled(operand);
    const type = wanted ?? operand?.type ?? this.fail(at, `"${name}" needs a type or a value.`);
    if (type.kind !== 'scalar') this.fail(at, `An override is a scalar, not a ${show(type)}.`);
    const given = this.state.override(name, number, at);
    let value: Value | undefined;
    if (given !== undefined) value = this.evaluate(at, type, () => overrideValue(name, type, given));
    else if (this.state.specialised) {
      if (operand === undefined) this.fail(at, `Override "${name}" has no value: give one in "constants".`);
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
      this.fail(at, `"${name}" needs an address space: "var<storage>", "var<workgroup>" and so on.`);
    const space = this.space(first);
    if (space === 'function') this.fail(first.at, 'Outside functions no variable is in address space function.');
    const access = second === undefined ? SPACES[space] : this.access(second, space);
    let operand = initial && this.loaded(initial);
    if (operand && space !== 'private') this.fail(initial!.at, `A variable in ${space} memory has no initial value.`);
    if (operand && operand.stage > Stage.Override)
      this.fail(initial!.at, `The value of "${name}" must be known when the pipeline is made.`);
    if (operand) operand = type ? this.convert(operand, type, `The value of "${name}"`) : this.settled(operand);
    const store = type ?? operand?.type ?? this.fail(at, `"${name}" needs a type.`);
    this.checkStore(name, store, space, at);
    const resource = space === 'storage' || space === 'uniform';
    if (resource !== (group !== undefined && binding !== undefined) || (!resource && (group || binding))) {
      this.fail(
        at,
        resource ? `"${name}" needs "@group(…) @binding(…)".` : `A variable in ${space} memory has no binding.`,
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
    if (value! < 0) this.fail(syntax!.at, `${what} cannot be negative.`);
    return value!;
  }

  private checkStore(name: string, type: AnyType, space: GlobalVariable['space'], at: Span): void {
    const refuse = (why: string) => this.fail(at, `"${name}" cannot be in ${space} memory: ${why}.`);
    if (space === 'private' && !isConstructible(type)) refuse(`a ${show(type)} cannot be constructed`);
    if (space === 'workgroup' && (!isFixed(type) || hasPointer(type))) refuse(`a ${show(type)} has no fixed size`);
    if (space === 'private' || space === 'workgroup') return;
    if (!isHostShareable(type)) refuse(`a ${show(type)} holds what buffers cannot`);
    if (isPending(type)) refuse('its size depends on an override');
    if (space === 'storage') return;
    if (!isConstructible(type)) refuse(`a ${show(type)} cannot be constructed`);
    const fault = uniformFault(type);
    if (fault !== undefined) refuse(fault);
  }

  // -------------------------------------------------------------------------------------------------- structures

  private struct(name: string, list: readonly MemberSyntax[], at: Span): AnyStruct {
    if (list.length === 0) this.fail(at, `"${name}" has no members.`);
    if (list.length > 1023) this.fail(at, `"${name}" has more than 1023 members.`);
    const names = new Set<string>();
    const inputs: (string | undefined)[] = [];
    const sources = list.map((member, i): MemberSource => {
      if (names.has(member.name)) this.fail(member.at, `"${name}" has two members "${member.name}".`);
      names.add(member.name);
      const type = this.type(member.type);
      const last = i === list.length - 1;
      if (hasPointer(type) || isPending(type) || (!isFixed(type) && (!last || type.kind === 'struct'))) {
        this.fail(member.at, `Member "${member.name}" cannot be a ${show(type)}.`);
      }
      if (depthOf(type) >= 15) this.fail(member.at, 'Types are nested more than 15 deep.');
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
          `The alignment of a ${show(type)} is a power of two and a multiple of ${alignOf(type as Type)}, not ${value}.`,
        );
      }
      result.align = value;
    }
    if (size !== undefined) {
      const value = this.natural(size, 'A size');
      if (!isFixed(type)) this.fail(size[0]!.at, 'A runtime-sized array has no size of its own.');
      if (value < sizeOf(type as Type))
        this.fail(size[0]!.at, `A ${show(type)} takes ${sizeOf(type as Type)} bytes, more than ${value}.`);
      result.size = value;
    }
    return result;
  }

  // --------------------------------------------------------------------------------------------------- functions

  private functionOf(syntax: FunctionSyntax): FunctionInfo {
    const { name, at, attributes, parameters, returns } = syntax;
    const found = this.attributes(attributes, {
      compute: 0,
      vertex: 0,
      fragment: 0,
      workgroup_size: [1, 3],
      must_use: 0,
    });
    this.severityOf(attributes, true);
    const stages = STAGES.filter((one) => found[one] !== undefined);
    const [stage] = stages;
    if (stages.length > 1) this.fail(at, `"${name}" has more than one stage.`);
    if (found.must_use && !returns) this.fail(at, `"${name}" returns nothing that must be used.`);
    if (found.workgroup_size && stage !== 'compute') this.fail(at, 'Only a compute entry point has a workgroup size.');
    const type = returns ? this.type(returns) : VOID;
    if (returns && !isConstructible(type)) this.fail(returns.at, `A function cannot return a ${show(type)}.`);
    const program: FunctionInfo['program'] = {
      name,
      parameters: [],
      returns: type as Type,
      body: [],
      synchronizes: false,
    };
    const { reads, writes, globals, callees } = this;
    const info: FunctionInfo = {
      syntax,
      program,
      mustUse: found.must_use !== undefined,
      stage,
      reads,
      writes,
      globals,
      callees,
    };
    // Rendering is not carried out: such entry points may stand in a module, and nothing comes of them.
    if (stage === 'vertex' || stage === 'fragment') return info;
    if (parameters.length > 255) this.fail(at, `"${name}" has more than 255 parameters.`);
    this.function = true;
    this.returns = type;
    this.scopes.push(new Scope());
    program.parameters = parameters.map((parameter) => this.parameter(parameter, stage !== undefined));
    if (stage === 'compute') {
      this.entry(info, found.workgroup_size);
    } else if (syntax.returnAttributes.length > 0)
      this.fail(syntax.returnAttributes[0]!.at, 'Only an entry point has inputs and outputs.');
    const { behavior, body } = this.sequence(syntax.body.body);
    program.body = body;
    program.synchronizes = this.synchronizes;
    if (behavior === 0) this.fail(at, `"${name}" never ends.`);
    if (returns && behavior !== RETURN) this.fail(at, `"${name}" can end without returning a ${show(type)}.`);
    if (!returns && behavior & ~(NEXT | RETURN)) throw new Error('internal: a jump leaves its function.');
    return info;
  }

  private parameter({ name, type: typeSyntax, attributes, at }: MemberSyntax, entry: boolean): LocalVariable {
    const type = this.type(typeSyntax);
    const valid = isConstructible(type) || (type.kind === 'pointer' && !entry);
    if (!valid) this.fail(typeSyntax.at, `A parameter cannot be a ${show(type)}.`);
    if (!entry && attributes.length > 0) this.fail(attributes[0]!.at, 'Only an entry point has inputs and outputs.');
    const variable: LocalVariable = { kind: 'parameter', name, type: type as Type, at };
    const node: Expression = { kind: 'value', variable, type: type as Type, at };
    this.declare(name, { kind: 'value', operand: { type, stage: Stage.Run, node, at }, at });
    return variable;
  }

  private entry(info: FunctionInfo, size: readonly Attribute['arguments'][number][] | undefined): void {
    const { syntax, program } = info;
    if (syntax.returns) this.fail(syntax.returns.at, 'A compute entry point returns nothing.');
    if (size === undefined) this.fail(syntax.at, `"${syntax.name}" needs "@workgroup_size(…)".`);
    const sizes = size.map((one) => this.integer(one, 'A workgroup size', Stage.Override));
    const concreteSizes = sizes.filter((_, i) => size[i]!.kind !== 'number');
    if (concreteSizes.some(({ operand }) => !sameType(operand.type, concreteSizes[0]!.operand.type))) {
      this.fail(size[0]!.at, 'The parts of a workgroup size must all be i32 or all u32.');
    }
    for (const { value, operand } of sizes) {
      if (value !== undefined && value < 1) this.fail(operand.at, `A workgroup size is at least 1, not ${value}.`);
    }
    info.workgroupSize = [0, 1, 2].map((i) =>
      sizes[i] ? (sizes[i].value ?? 1) : 1,
    ) as unknown as EntryPoint['workgroupSize'];
    const seen = new Set<string>();
    program.inputs = program.parameters.map((variable, i) => {
      const { attributes } = syntax.parameters[i]!;
      const found = this.attributes(attributes, {
        builtin: 1,
        location: 1,
        interpolate: [1, 2],
        invariant: 0,
        blend_src: 1,
      });
      const type = variable.type as AnyType;
      if (type.kind !== 'struct') return this.input(found.builtin?.[0], type, syntax.parameters[i]!.at, seen);
      const inputs = this.state.inputs.get(type)!;
      return type.members.map((member, k) => {
        const builtin = inputs[k]
          ? ({ kind: 'name', name: inputs[k], at: syntax.parameters[i]!.at } as const)
          : undefined;
        return this.input(builtin, member.type, syntax.parameters[i]!.at, seen);
      });
    });
  }

  private input(
    builtin: Attribute['arguments'][number] | undefined,
    type: AnyType,
    at: Span,
    seen: Set<string>,
  ): BuiltinInput {
    if (builtin?.kind !== 'name') return this.fail(at, 'An input of a compute shader is a "@builtin(…)" value.');
    const { name } = builtin;
    if (!Object.hasOwn(INPUTS, name)) this.fail(builtin.at, `"${name}" is no input of a compute shader.`);
    if (/subgroup/.test(name) && !this.state.enabled('subgroups'))
      this.fail(builtin.at, `${name} needs "enable subgroups;".`);
    const wanted = INPUTS[name as BuiltinInput];
    if (!sameType(type, wanted)) this.fail(at, `${name} is ${show(wanted)}, not ${show(type)}.`);
    if (seen.has(name)) this.fail(builtin.at, `This entry point has ${name} twice.`);
    seen.add(name);
    return name as BuiltinInput;
  }

  // -------------------------------------------------------------------------------------------------- attributes

  /** The arguments of attributes by name; refuses those that are not among `known`, with their numbers of arguments. */
  private attributes(
    list: readonly Attribute[],
    known: Readonly<Record<string, number | readonly [number, number]>>,
  ): Record<string, Attribute['arguments']> {
    const found: Record<string, Attribute['arguments']> = {};
    for (const { name, arguments: given, at } of list) {
      if (name === 'diagnostic') continue;
      const count = Object.hasOwn(known, name) ? known[name]! : this.fail(at, `"@${name}" does not belong here.`);
      const [least, most] = typeof count === 'number' ? [count, count] : count;
      if (given.length < least || given.length > most)
        this.fail(at, `"@${name}" takes ${least === most ? least : `${least} to ${most}`} arguments.`);
      if (found[name]) this.fail(at, `"@${name}" stands here twice.`);
      found[name] = given;
    }
    return found;
  }

  protected severityOf(attributes: readonly Attribute[], allowed: boolean): void {
    const seen = new Map<string, string>();
    for (const { name, arguments: given, at } of attributes) {
      if (name !== 'diagnostic') {
        if (!allowed || !this.function) continue;
        this.fail(at, `"@${name}" does not belong here.`);
      }
      const names = given.map((one) => ({ name: one.kind === 'name' ? one.name : '', at: one.at }));
      const severity = diagnosticSeverity(names, at, this.state, seen);
      if (severity !== undefined) this.severity = severity;
    }
  }
}

/** What a diagnostic control says of `subgroup_uniformity`; a rule that nobody knows is a warning. */
export function diagnosticSeverity(
  names: readonly { readonly name: string; readonly at: Span }[],
  at: Span,
  module: Pick<ModuleScope, 'warn'>,
  seen: Map<string, string>,
): Severity | undefined {
  const [severity, rule] = names;
  if (names.length !== 2) throw new WgslError(at, 'A diagnostic control is a severity and a rule.');
  if (!SEVERITIES.includes(severity!.name))
    throw new WgslError(severity!.at, `"${severity!.name}" is no severity: ${SEVERITIES.join(', ')} are.`);
  if ((seen.get(rule!.name) ?? severity!.name) !== severity!.name) {
    throw new WgslError(at, `"${rule!.name}" has two different severities here.`);
  }
  seen.set(rule!.name, severity!.name);
  if (rule!.name === 'subgroup_uniformity') return severity!.name as Severity;
  if (rule!.name !== 'derivative_uniformity' && !rule!.name.includes('.'))
    module.warn(rule!.at, `There is no diagnostic rule "${rule!.name}".`);
  return undefined;
}

function overrideValue(name: string, type: AnyType & { kind: 'scalar' }, given: number): Value {
  const { scalar } = type;
  if (scalar === 'bool') return !(given === 0 || Number.isNaN(given));
  if (!Number.isFinite(given))
    throw new WgslError(
      { line: 1, column: 1, offset: 0, length: 0 },
      `The value of override "${name}" must be finite.`,
    );
  if (scalar === 'i32' || scalar === 'u32')
    return convertValue({ kind: 'scalar', scalar: 'AbstractInt' }, type, BigInt(Math.trunc(given)));
  return convertValue({ kind: 'scalar', scalar: 'AbstractFloat' }, type, given);
}

const hasPointer = (type: AnyType): boolean => type.kind === 'pointer' || type.kind === 'void';
const isPending = (type: AnyType): boolean =>
  type.kind === 'array' && (type.pending !== undefined || isPending(type.element));
