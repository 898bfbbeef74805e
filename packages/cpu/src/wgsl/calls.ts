// Calls: constructors, functions of the module, and built-in functions. https://www.w3.org/TR/WGSL/#function-calls

import type { Expression, LocalVariable, Reference, Statement, Variable } from '../program/program.js';
import type { Type } from '../program/types.js';
import { say } from '../say.js';
import { isBuiltin, isCollective, resolve, takes } from './builtins.js';
import { bitcastValue, checkArguments, evaluateBuiltin } from './constants.js';
import { type Span, WgslError } from './lexer.js';
import { type FunctionInfo, type Operand, rootOf, Stage } from './scope.js';
import type { Syntax } from './syntax.js';
import { TypeChecker } from './type-expressions.js';
import {
  type AnyType,
  BOOL,
  isConstructible,
  layOut,
  sameType,
  scalarOf,
  scalarType,
  shaped,
  show,
  sizeInBits,
  U32,
  VOID,
  widthOf,
} from './types.js';

type CallSyntax = Syntax & { kind: 'call' };

const BARRIERS = ['workgroupBarrier', 'storageBarrier', 'textureBarrier'] as const;
const ATOMICS: Readonly<Record<string, number>> = {
  atomicLoad: 0,
  atomicStore: 1,
  atomicAdd: 1,
  atomicSub: 1,
  atomicMax: 1,
  atomicMin: 1,
  atomicAnd: 1,
  atomicOr: 1,
  atomicXor: 1,
  atomicExchange: 1,
  atomicCompareExchangeWeak: 2,
};
const UNSUPPORTED = /^(?:texture[A-Z]|dpd[xy]|fwidth)/;

export abstract class CallChecker extends TypeChecker {
  readonly callees = new Set<FunctionInfo>();
  synchronizes = false;

  protected abstract inFunction(): boolean;

  protected call(syntax: CallSyntax): Operand {
    const { callee, arguments: list, at } = syntax;
    const entity = this.lookup(callee);
    if (entity?.kind === 'function') {
      if (callee.template !== undefined) this.fail(at, say`"${callee.name}" takes no template parameters.`);
      return this.userCall(entity.info, list, at);
    }
    const { name } = callee;
    if (entity === undefined && name === 'bitcast') return this.bitcast(syntax);
    if (entity === undefined && callee.template === undefined) {
      const found = this.builtinCall(name, list, at);
      if (found !== undefined) return found;
    }
    const made = this.typeOrGenerator(callee);
    if (made === undefined)
      return this.fail(callee.at, entity ? say`"${name}" cannot be called.` : say`There is no function "${name}".`);
    return 'type' in made ? this.construct(made.type, list, at) : this.infer(made.generator, list, at);
  }

  private builtinCall(name: string, list: readonly Syntax[], at: Span): Operand | undefined {
    if (isBuiltin(name)) return this.builtin(name, list, at);
    if (name === 'arrayLength') return this.arrayLength(list, at);
    if (Object.hasOwn(ATOMICS, name)) return this.atomic(name, list, at);
    if (name === 'workgroupUniformLoad') return this.uniformLoad(list, at);
    if ((BARRIERS as readonly string[]).includes(name)) return this.barrier(name as 'workgroupBarrier', list, at);
    if (UNSUPPORTED.test(name))
      throw new WgslError(at, say`${name} is not supported: only compute shaders without textures are.`, true);
    return undefined;
  }

  private runs(at: Span, name: string): void {
    if (!this.inFunction()) this.fail(at, say`${name} can only be called in a function.`);
  }

  private count(name: string, list: readonly Syntax[], wanted: number, at: Span): void {
    if (list.length === wanted) return;
    this.fail(at, say`${name} takes ${wanted} argument${wanted === 1 ? '' : 's'}, not ${list.length}.`);
  }

  // ------------------------------------------------------------------------------------------ functions on values

  private builtin(name: string, list: readonly Syntax[], at: Span): Operand {
    if (isCollective(name)) {
      this.runs(at, name);
      if (!this.module.enabled('subgroups')) this.fail(at, say`${name} needs "enable subgroups;".`);
    }
    const given = this.operands(list);
    const types = given.map((operand) => operand.type);
    const constant = given.every((operand) => operand.stage === Stage.Const);
    const signature = resolve(name, types, constant);
    if (signature === undefined) {
      if (!takes(name, list.length)) this.fail(at, say`${name} does not take ${list.length} arguments.`);
      return this.fail(at, say`${name} does not take (${types.map(show).join(', ')}).`);
    }
    const { result } = signature;
    let { parameters } = signature;
    // One factor or condition for a whole vector is the same in every component.
    if (name === 'mix' || name === 'select') {
      const width = widthOf(parameters[0]!);
      parameters = parameters.map((type) => shaped(width, scalarOf(type)!));
    }
    const values = given.map((operand, i) => {
      const own = parameters[i]!;
      return own.kind === 'vector' && operand.type.kind === 'scalar'
        ? this.spread(operand, own)
        : this.convert(operand, own, `Argument ${i + 1} of ${name}`);
    });
    this.checked(name, parameters, values, at);
    if (isCollective(name)) return this.collective(name, values, result, at);
    return this.result(
      at,
      result,
      values,
      (known) => evaluateBuiltin(name, parameters, known, result),
      (nodes, type) => ({ kind: 'builtin', name, arguments: nodes, type, at }),
    );
  }

  private checked(name: string, types: readonly AnyType[], operands: readonly Operand[], at: Span): void {
    this.evaluate(at, BOOL, () => {
      checkArguments(
        name,
        types,
        operands.map((operand) => operand.value),
      );
      return false;
    });
  }

  private collective(name: string, operands: readonly Operand[], type: AnyType, at: Span): Operand {
    const [, second] = operands;
    if (name === 'subgroupBroadcast' || name === 'quadBroadcast') {
      const lanes = name === 'quadBroadcast' ? 4 : 128;
      if (second!.stage !== Stage.Const) this.fail(second!.at, say`The lane of ${name} must be a constant expression.`);
      const lane = Number(second!.value);
      if (lane < 0 || lane >= lanes)
        this.fail(second!.at, say`The lane of ${name} must be from 0 to ${lanes - 1}, not ${lane}.`);
    } else if (name.startsWith('subgroupShuffle') && second!.value !== undefined) {
      const lane = Number(second!.value);
      if (lane < 0 || lane >= 128) this.fail(second!.at, say`${name} reaches at most lane 127, not ${lane}.`);
    }
    const variable: LocalVariable = { kind: 'let', name, type: type as Type, at };
    const statement: Statement = {
      kind: 'collective',
      name,
      variable,
      arguments: operands.map((x) => this.emit(x)),
      at,
    };
    this.module.severities.set(statement, this.severity);
    return this.hoist(statement, variable);
  }

  private hoist(statement: Statement, variable: LocalVariable): Operand {
    this.before.push(statement);
    this.synchronizes = true;
    const { type, at } = variable;
    return { type, stage: Stage.Run, node: { kind: 'value', variable, type, at }, at: at as Span };
  }

  private bitcast({ callee, arguments: list, at }: CallSyntax): Operand {
    if (callee.template?.length !== 1) this.fail(callee.at, say`bitcast needs the type it gives: "bitcast<f32>(x)".`);
    const type = this.type(callee.template![0]!);
    this.count('bitcast', list, 1, at);
    let [operand] = this.operands(list) as [Operand];
    const target = scalarOf(type);
    // An AbstractInt is i32, or u32 where that is asked for and holds it.
    if (
      target === 'u32' &&
      scalarOf(operand.type) === 'AbstractInt' &&
      [operand.value].flat().every((part) => Number(part) >= 0)
    ) {
      operand = this.convert(operand, shaped(widthOf(operand.type), 'u32'), 'The argument of bitcast');
    } else operand = this.settled(operand);
    const from = operand.type;
    const bits = (of: AnyType) =>
      of.kind === 'scalar' || of.kind === 'vector'
        ? of.scalar === 'bool'
          ? 0
          : widthOf(of) * sizeInBits(of.scalar)
        : 0;
    if (bits(type) === 0 || bits(from) !== bits(type))
      this.fail(at, say`bitcast cannot make ${show(type)} from ${show(from)}.`);
    if (sameType(from, type)) return { ...operand, at };
    return this.result(
      at,
      type,
      [operand],
      ([value]) => bitcastValue(from, type, value!),
      ([value], settled) => ({ kind: 'bitcast', value: value!, type: settled, at }),
    );
  }

  // ------------------------------------------------------------------------------------- functions on memory

  /** The place that a pointer argument leads to. */
  private target(operand: Operand, name: string): Reference {
    const { type, node, at } = operand;
    if (type.kind !== 'pointer')
      this.fail(at, say`${name} takes a pointer, not ${show(type)}: write "&" before a variable.`);
    if (node!.kind === 'addressOf') return node!.reference;
    return { kind: 'dereference', pointer: node!, type: type.target as Type, at };
  }

  private arrayLength(list: readonly Syntax[], at: Span): Operand {
    this.runs(at, 'arrayLength');
    this.count('arrayLength', list, 1, at);
    const reference = this.target(this.loaded(list[0]!), 'arrayLength');
    if (reference.type.kind !== 'array' || reference.type.count !== undefined) {
      this.fail(
        list[0]!.at,
        say`arrayLength takes a pointer to a runtime-sized array, not to ${show(reference.type)}.`,
      );
    }
    return { type: U32, stage: Stage.Run, node: { kind: 'arrayLength', reference, type: U32 as Type, at }, at };
  }

  private atomic(name: string, list: readonly Syntax[], at: Span): Operand {
    this.runs(at, name);
    this.count(name, list, 1 + ATOMICS[name]!, at);
    const [pointer, ...values] = this.operands(list) as [Operand, ...Operand[]];
    const reference = this.target(pointer, name);
    const atomic = reference.type;
    if (atomic.kind !== 'atomic')
      return this.fail(pointer.at, say`${name} takes a pointer to an atomic, not to ${show(atomic)}.`);
    if (pointer.type.kind === 'pointer' && pointer.type.access !== 'read_write') {
      this.fail(pointer.at, say`${name} needs memory that can be read and written.`);
    }
    this.note(this.reads, reference);
    if (name !== 'atomicLoad') this.note(this.writes, reference);
    const scalar = scalarType(atomic.scalar);
    const nodes = values.map((value) => this.emit(this.convert(value, scalar, `The value of ${name}`)));
    const type =
      name === 'atomicStore'
        ? VOID
        : name === 'atomicCompareExchangeWeak'
          ? layOut(`__atomic_compare_exchange_result_${atomic.scalar}`, [
              { name: 'old_value', type: scalar },
              { name: 'exchanged', type: BOOL },
            ])
          : scalar;
    const node: Expression = { kind: 'atomic', name, reference, arguments: nodes, type: type as Type, at };
    return { type, stage: Stage.Run, node, at };
  }

  private uniformLoad(list: readonly Syntax[], at: Span): Operand {
    this.runs(at, 'workgroupUniformLoad');
    this.count('workgroupUniformLoad', list, 1, at);
    const pointer = this.loaded(list[0]!);
    const reference = this.target(pointer, 'workgroupUniformLoad');
    if (pointer.type.kind !== 'pointer' || pointer.type.space !== 'workgroup') {
      this.fail(pointer.at, say`workgroupUniformLoad takes a pointer to workgroup memory.`);
    }
    const loaded = reference.type.kind === 'atomic' ? (scalarType(reference.type.scalar) as Type) : reference.type;
    if (!isConstructible(loaded)) this.fail(pointer.at, say`${show(loaded)} cannot be loaded as a value.`);
    this.note(this.reads, reference);
    const variable: LocalVariable = { kind: 'let', name: 'workgroupUniformLoad', type: loaded, at };
    return this.hoist({ kind: 'uniformLoad', variable, reference, at }, variable);
  }

  private barrier(name: (typeof BARRIERS)[number], list: readonly Syntax[], at: Span): Operand {
    this.runs(at, name);
    this.count(name, list, 0, at);
    this.before.push({ kind: 'barrier', name, at });
    this.synchronizes = true;
    return { type: VOID, stage: Stage.Run, at };
  }

  // ------------------------------------------------------------------------------------ functions of the module

  private userCall(info: FunctionInfo, list: readonly Syntax[], at: Span): Operand {
    const { name, parameters, returns } = info.program;
    this.runs(at, `"${name}"`);
    if (info.stage !== undefined) this.fail(at, say`"${name}" is an entry point and cannot be called.`);
    this.count(`"${name}"`, list, parameters.length, at);
    const given = this.operands(list).map((operand, i) =>
      this.convert(operand, parameters[i]!.type, `Argument ${i + 1} of "${name}"`),
    );
    this.callees.add(info);
    this.synchronizes ||= info.program.synchronizes;
    this.checkAliases(info, given);
    const nodes = given.map((operand) => this.emit(operand));
    const node: Expression = { kind: 'call', function: info.program, arguments: nodes, type: returns, at };
    return { type: returns, stage: Stage.Run, node, at };
  }

  /** https://www.w3.org/TR/WGSL/#alias-analysis */
  private checkAliases(info: FunctionInfo, given: readonly Operand[]): void {
    const { parameters, name } = info.program;
    const seen = new Map<Variable, { reads: boolean; writes: boolean }>();
    const clash = (root: Variable, where: Span) =>
      this.fail(where, say`"${name}" reaches "${root.name}" in two ways and writes to it.`);
    given.forEach((operand, i) => {
      if (operand.type.kind !== 'pointer') return;
      const { root } = rootOf(this.target(operand, name), this.module.pointers);
      const parameter = parameters[i]!;
      const [reads, writes] = [info.reads.has(parameter), info.writes.has(parameter)];
      const other = seen.get(root);
      if (other && ((other.writes && (reads || writes)) || (writes && other.reads))) clash(root, operand.at);
      seen.set(root, { reads: reads || other?.reads === true, writes: writes || other?.writes === true });
      if (
        root.kind === 'global' &&
        ((writes && info.reads.has(root)) || ((writes || reads) && info.writes.has(root)))
      ) {
        clash(root, operand.at);
      }
      if (reads) this.reads.add(root);
      if (writes) this.writes.add(root);
    });
    for (const variable of info.reads) if (variable.kind === 'global') this.reads.add(variable);
    for (const variable of info.writes) if (variable.kind === 'global') this.writes.add(variable);
  }

  /** A call as a statement. */
  protected callStatement(syntax: Syntax): Operand {
    if (syntax.kind !== 'call') return this.fail(syntax.at, say`This is no statement: only a call may stand alone.`);
    const { callee, at } = syntax;
    const entity = this.lookup(callee);
    const mustUse = entity
      ? entity.kind !== 'function' || entity.info.mustUse
      : !/^(?:atomic|\w+Barrier$|textureStore$)/.test(callee.name);
    const operand = this.call(syntax);
    if (mustUse) this.fail(at, say`The value of "${callee.name}" must be used: assign it to "_" if it is not wanted.`);
    return operand;
  }
}
