// Checks functions and entry points. https://www.w3.org/TR/WGSL/#functions and https://www.w3.org/TR/WGSL/#entry-points

import type {
  BuiltinInput,
  EntryPoint,
  Expression,
  GlobalVariable,
  LocalVariable,
  Variable,
} from '../program/program.js';
import type { Type } from '../program/types.js';
import { say } from '../say.js';
import { type Span, WgslError } from './lexer.js';
import { type FunctionInfo, type ModuleScope, Scope, type Severity, Stage } from './scope.js';
import { NEXT, RETURN, StatementChecker } from './statements.js';
import type { Attribute, FunctionSyntax, MemberSyntax } from './syntax.js';
import { type AnyStruct, type AnyType, isConstructible, sameType, show, U32, VOID, vectorType } from './types.js';

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
const RENDERING =
  'vertex_index instance_index clip_distances position front_facing frag_depth sample_index sample_mask primitive_index';
export const BUILTIN_VALUES = new Set([...Object.keys(INPUTS), ...RENDERING.split(' ')]);
const SEVERITIES: readonly string[] = ['error', 'warning', 'info', 'off'];
const STAGES = ['compute', 'vertex', 'fragment'] as const;

/** What a module's declarations share, and the attributes of members of structures. */
export interface ModuleState extends ModuleScope {
  /** Value of an override: given, or undefined while none are given. */
  override(name: string, id: number | undefined, at: Span): number | undefined;
  /** Whether overrides have their values. */
  readonly specialised: boolean;
  readonly inputs: Map<AnyStruct, readonly (string | undefined)[]>;
}

/** Checks a function; knows attributes. */
export abstract class FunctionChecker extends StatementChecker {
  protected returns: AnyType = VOID;
  private readonly globals = new Set<GlobalVariable>();
  private function = false;

  constructor(protected readonly state: ModuleState) {
    super(state);
  }

  protected override inFunction(): boolean {
    return this.function;
  }

  protected override noteVariable(variable: Variable): void {
    if (variable.kind === 'global') this.globals.add(variable);
  }

  // --------------------------------------------------------------------------------------------------- functions

  protected functionOf(syntax: FunctionSyntax): FunctionInfo {
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
    if (stages.length > 1) this.fail(at, say`"${name}" has more than one stage.`);
    if (found.must_use && !returns) this.fail(at, say`"${name}" returns nothing that must be used.`);
    if (found.workgroup_size && stage !== 'compute')
      this.fail(at, say`Only a compute entry point has a workgroup size.`);
    const type = returns ? this.type(returns) : VOID;
    if (returns && !isConstructible(type)) this.fail(returns.at, say`A function cannot return ${show(type)}.`);
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
    // Rendering is not carried out: such entry points may be in a module, and nothing comes of them.
    if (stage === 'vertex' || stage === 'fragment') return info;
    if (parameters.length > 255) this.fail(at, say`"${name}" has more than 255 parameters.`);
    this.function = true;
    this.returns = type;
    this.scopes.push(new Scope());
    program.parameters = parameters.map((parameter) => this.parameter(parameter, stage !== undefined));
    if (stage === 'compute') {
      this.entry(info, found.workgroup_size);
    } else if (syntax.returnAttributes.length > 0)
      this.fail(syntax.returnAttributes[0]!.at, say`Only an entry point has inputs and outputs.`);
    const { behavior, body } = this.sequence(syntax.body.body);
    program.body = body;
    program.synchronizes = this.synchronizes;
    if (behavior === 0) this.fail(at, `"${name}" never ends.`);
    if (returns && behavior !== RETURN) this.fail(at, say`"${name}" can end without returning ${show(type)}.`);
    if (!returns && behavior & ~(NEXT | RETURN)) throw new Error('internal: a jump leaves its function.');
    return info;
  }

  private parameter({ name, type: typeSyntax, attributes, at }: MemberSyntax, entry: boolean): LocalVariable {
    const type = this.type(typeSyntax);
    const valid = isConstructible(type) || (type.kind === 'pointer' && !entry);
    if (!valid) this.fail(typeSyntax.at, say`A parameter cannot be ${show(type)}.`);
    if (!entry && attributes.length > 0) this.fail(attributes[0]!.at, say`Only an entry point has inputs and outputs.`);
    const variable: LocalVariable = { kind: 'parameter', name, type: type as Type, at };
    const node: Expression = { kind: 'value', variable, type: type as Type, at };
    this.declare(name, { kind: 'value', operand: { type, stage: Stage.Run, node, at }, at });
    return variable;
  }

  private entry(info: FunctionInfo, size: readonly Attribute['arguments'][number][] | undefined): void {
    const { syntax, program } = info;
    if (syntax.returns) this.fail(syntax.returns.at, say`A compute entry point returns nothing.`);
    if (size === undefined) this.fail(syntax.at, say`"${syntax.name}" needs "@workgroup_size(…)".`);
    const sizes = size.map((one) => this.integer(one, 'A workgroup size', Stage.Override));
    const own = sizes.filter(({ abstract }) => !abstract);
    if (own.some(({ operand }) => !sameType(operand.type, own[0]!.operand.type))) {
      this.fail(size[0]!.at, say`The parts of a workgroup size must all be i32 or all u32.`);
    }
    for (const { value, operand } of sizes) {
      if (value !== undefined && value < 1) this.fail(operand.at, say`A workgroup size is at least 1, not ${value}.`);
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
    if (builtin?.kind !== 'name') return this.fail(at, say`An input of a compute shader is a "@builtin(…)" value.`);
    const { name } = builtin;
    if (!Object.hasOwn(INPUTS, name)) this.fail(builtin.at, say`"${name}" is no input of a compute shader.`);
    if (/subgroup/.test(name) && !this.state.enabled('subgroups'))
      this.fail(builtin.at, say`${name} needs "enable subgroups;".`);
    const wanted = INPUTS[name as BuiltinInput];
    if (!sameType(type, wanted)) this.fail(at, `${name} is ${show(wanted)}, not ${show(type)}.`);
    if (seen.has(name)) this.fail(builtin.at, say`This entry point has ${name} twice.`);
    seen.add(name);
    return name as BuiltinInput;
  }

  // -------------------------------------------------------------------------------------------------- attributes

  /** The arguments of attributes by name; refuses those that are not among `known`, with their numbers of arguments. */
  protected attributes(
    list: readonly Attribute[],
    known: Readonly<Record<string, number | readonly [number, number]>>,
  ): Record<string, Attribute['arguments']> {
    const found: Record<string, Attribute['arguments']> = {};
    for (const { name, arguments: given, at } of list) {
      if (name === 'diagnostic') continue;
      const count = Object.hasOwn(known, name) ? known[name]! : this.fail(at, say`"@${name}" does not belong here.`);
      const [least, most] = typeof count === 'number' ? [count, count] : count;
      if (given.length < least || given.length > most)
        this.fail(
          at,
          say`"@${name}" takes ${least === most ? least : `${least} to ${most}`} argument${most === 1 ? '' : 's'}.`,
        );
      if (found[name]) this.fail(at, say`"@${name}" stands here twice.`);
      found[name] = given;
    }
    return found;
  }

  protected severityOf(attributes: readonly Attribute[], allowed: boolean): void {
    const seen = new Map<string, string>();
    for (const { name, arguments: given, at } of attributes) {
      if (name !== 'diagnostic') {
        if (!allowed || !this.function) continue;
        this.fail(at, say`"@${name}" does not belong here.`);
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
  if (names.length !== 2) throw new WgslError(at, say`A diagnostic control is a severity and a rule.`);
  if (!SEVERITIES.includes(severity!.name))
    throw new WgslError(severity!.at, say`"${severity!.name}" is no severity: ${SEVERITIES.join(', ')} are.`);
  if ((seen.get(rule!.name) ?? severity!.name) !== severity!.name) {
    throw new WgslError(at, say`"${rule!.name}" has two different severities here.`);
  }
  seen.set(rule!.name, severity!.name);
  if (rule!.name === 'subgroup_uniformity') return severity!.name as Severity;
  if (rule!.name !== 'derivative_uniformity' && !rule!.name.includes('.'))
    module.warn(rule!.at, say`There is no diagnostic rule "${rule!.name}".`);
  return undefined;
}
