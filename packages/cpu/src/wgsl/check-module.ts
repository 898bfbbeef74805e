// WGSL text → Module: messages when it is made, programs of its entry points afterwards.

import type {
  Expression,
  GlobalVariable,
  LocalVariable,
  Program,
  ProgramFunction,
  Reference,
  Statement,
} from '../program/program.js';
import { say } from '../say.js';
import { DeclarationChecker } from './declarations.js';
import { diagnosticSeverity, type ModuleState } from './functions.js';
import { messageOf, type Span, WgslError } from './lexer.js';
import { type Message, type Module, ProgramError } from './module.js';
import { parse } from './parser.js';
import type { Entity, FunctionInfo, Severity } from './scope.js';
import type { DeclarationSyntax, ModuleSyntax } from './syntax.js';
import { checkUniformity } from './uniformity.js';

/** What `enable` can name here, if the device has the feature. */
export const EXTENSIONS: readonly string[] = ['f16', 'subgroups'];
/** What `requires` can name here. */
export const LANGUAGE_FEATURES: readonly string[] = [
  'packed_4x8_integer_dot_product',
  'unrestricted_pointer_parameters',
  'pointer_composite_access',
  'uniform_buffer_standard_layout',
  'subgroup_id',
];

/**
 * Checks a WGSL module. Never throws: what is wrong is in its messages.
 * @param extensions - what `enable` may name
 */
export function parseModule(code: string, extensions: readonly string[] = EXTENSIONS): Module {
  const messages: Message[] = [];
  let checker: ModuleChecker | undefined;
  try {
    checker = new ModuleChecker(parse(code), undefined, extensions);
    checker.checkAll();
    messages.push(...checker.messages);
  } catch (error) {
    messages.push(messageOf(...faultOf(error)));
  }
  messages.sort((a, b) => a.offset - b.offset);
  const entryPoints = checker?.entryPoints ?? [];
  return {
    messages,
    entryPoints,
    program(entryPoint, constants = {}) {
      const fault = messages.find(({ type }) => type === 'error');
      if (fault)
        throw new ProgramError(say`The shader module is invalid: ${fault.line}:${fault.column} ${fault.message}`);
      const name = entryPoint ?? (entryPoints.length === 1 ? entryPoints[0] : undefined);
      if (name === undefined)
        throw new ProgramError(say`Name one of the module's ${entryPoints.length} compute entry points.`);
      if (!entryPoints.includes(name)) throw new ProgramError(say`There is no compute entry point "${name}".`);
      try {
        return checker!.withConstants(constants).program(name);
      } catch (error) {
        if (!(error instanceof WgslError)) throw error;
        throw new ProgramError(`${error.at.line}:${error.at.column} ${error.message}`);
      }
    },
  };
}

function faultOf(error: unknown): [Span, string] {
  if (error instanceof WgslError) return [error.at, error.message];
  // A stack has an end, and texts can be made to reach it.
  if (error instanceof RangeError)
    return [{ line: 1, column: 1, offset: 0, length: 0 }, say`This module is nested too deeply.`];
  throw error;
}

class ModuleChecker implements ModuleState {
  readonly messages: Message[] = [];
  readonly pointers = new Map<LocalVariable, Reference>();
  readonly severities = new Map<Statement, Severity>();
  readonly composites = new WeakMap<object, Expression>();
  readonly inputs: ModuleState['inputs'] = new Map();
  moduleSeverity: Severity = 'error';
  private readonly extensions = new Set<string>();
  private readonly declared = new Map<string, DeclarationSyntax>();
  private readonly found = new Map<DeclarationSyntax, Entity | WgslError | 'open'>();
  private readonly ids = new Map<number, string>();

  constructor(
    private readonly syntax: ModuleSyntax,
    private readonly constants: Readonly<Record<string, number>> | undefined,
    private readonly allowed: readonly string[],
  ) {
    this.directives();
    for (const declaration of syntax.declarations) {
      const { name, at } = declaration;
      if (name === '') continue;
      const other = this.declared.get(name);
      if (other === undefined) this.declared.set(name, declaration);
      else this.report(new WgslError(at, say`"${name}" is declared twice; first in line ${other.at.line}.`));
    }
  }

  private directives(): void {
    const seen = new Map<string, string>();
    for (const { kind, names, at } of this.syntax.directives) {
      if (kind === 'diagnostic') {
        try {
          this.moduleSeverity = diagnosticSeverity(names, at, this, seen) ?? this.moduleSeverity;
        } catch (error) {
          this.report(error);
        }
        continue;
      }
      const known = kind === 'enable' ? this.allowed : LANGUAGE_FEATURES;
      for (const { name, at: where } of names) {
        if (!known.includes(name)) this.report(new WgslError(where, say`"${kind} ${name}" is not supported.`));
        if (kind === 'enable') this.extensions.add(name);
      }
    }
  }

  get entryPoints(): string[] {
    return this.entrySyntax('compute').map(({ name }) => name);
  }

  private entrySyntax(...stages: string[]): DeclarationSyntax[] {
    return this.syntax.declarations.filter(
      (one) => one.kind === 'function' && one.attributes.some(({ name }) => stages.includes(name)),
    );
  }

  private report(error: unknown): void {
    if (!(error instanceof WgslError)) throw error;
    const known = this.messages.some(({ offset, message }) => offset === error.at.offset && message === error.message);
    if (!known) this.messages.push(messageOf(error.at, error.message));
  }

  /** Checks everything and keeps the messages. */
  checkAll(): void {
    const rendering = this.entrySyntax('vertex', 'fragment').length > 0;
    const compute = new Set(this.entrySyntax('compute'));
    for (const declaration of this.syntax.declarations) {
      try {
        this.entity(declaration);
      } catch (error) {
        // What only rendering needs does not matter to those who compute.
        const excused = rendering && error instanceof WgslError && error.unsupported && !compute.has(declaration);
        if (!excused) this.report(error);
      }
    }
    for (const entity of this.found.values()) {
      if (entity === 'open' || entity instanceof WgslError || entity?.kind !== 'function') continue;
      if (entity.info.stage === 'compute') this.checkBindings(entity.info);
    }
    const functions = [...this.found.values()].flatMap((one) =>
      one !== 'open' && !(one instanceof WgslError) && one?.kind === 'function' ? [one.info] : [],
    );
    this.messages.push(...checkUniformity(functions, this));
  }

  private entity(declaration: DeclarationSyntax): Entity | undefined {
    const known = this.found.get(declaration);
    if (known === 'open') throw new WgslError(declaration.at, say`"${declaration.name}" needs itself.`);
    if (known instanceof WgslError) throw known;
    if (known !== undefined) return known;
    this.found.set(declaration, 'open');
    try {
      const entity = new DeclarationChecker(this).declaration(declaration);
      if (entity === undefined) this.found.delete(declaration);
      else {
        // Functions stay in the order in which they were finished: callees first.
        this.found.delete(declaration);
        this.found.set(declaration, entity);
      }
      return entity;
    } catch (error) {
      if (error instanceof WgslError) this.found.set(declaration, error);
      throw error;
    }
  }

  // ------------------------------------------------------------------------------------------------- ModuleState

  lookup(name: string): Entity | undefined {
    const declaration = this.declared.get(name);
    return declaration && this.entity(declaration);
  }

  enabled(extension: string): boolean {
    return this.extensions.has(extension);
  }

  warn(at: Span, message: string): void {
    this.messages.push(messageOf(at, message, 'warning'));
  }

  get specialised(): boolean {
    return this.constants !== undefined;
  }

  override(name: string, id: number | undefined, at: Span): number | undefined {
    if (id !== undefined) {
      const other = this.ids.get(id);
      if (other !== undefined) throw new WgslError(at, say`"${other}" has the id ${id}, too.`);
      this.ids.set(id, name);
    }
    const key = id === undefined ? name : String(id);
    return this.constants && Object.hasOwn(this.constants, key) ? this.constants[key] : undefined;
  }

  // --------------------------------------------------------------------------------------------------- programs

  /** This module with its overrides set. @throws ProgramError for a constant that no override has */
  withConstants(constants: Readonly<Record<string, number>>): ModuleChecker {
    const overrides = this.syntax.declarations.filter(({ kind }) => kind === 'override');
    const ids = new Map([...this.ids].map(([id, name]) => [name, String(id)]));
    const keys = new Set(overrides.map(({ name }) => ids.get(name) ?? name));
    for (const key of Object.keys(constants)) {
      if (!keys.has(key)) throw new ProgramError(say`No override is named "${key}".`);
    }
    return overrides.length === 0 ? this : new ModuleChecker(this.syntax, constants, this.allowed);
  }

  program(name: string): Program {
    const entity = this.lookup(name);
    if (entity?.kind !== 'function') throw new ProgramError(say`There is no compute entry point "${name}".`);
    const { info } = entity;
    const functions = new Set<ProgramFunction>();
    const globals = new Set<GlobalVariable>();
    for (const one of reached(info)) {
      functions.add(one.program);
      for (const variable of one.globals) globals.add(variable);
    }
    return {
      entry: { function: info.program, workgroupSize: info.workgroupSize! },
      functions: [...functions],
      globals: [...globals],
      enables: this.extensions,
    };
  }

  /** https://www.w3.org/TR/WGSL/#resource-interface: two variables of one shader cannot share a binding. */
  private checkBindings(info: FunctionInfo): void {
    const seen = new Map<string, GlobalVariable>();
    for (const one of reached(info)) {
      for (const variable of one.globals) {
        if (variable.binding === undefined) continue;
        const key = `${variable.binding.group} ${variable.binding.binding}`;
        const other = seen.get(key);
        if (other !== undefined && other !== variable) {
          const message = say`"${variable.name}" and "${other.name}" have the same binding in "${info.program.name}".`;
          this.report(new WgslError(variable.at as Span, message));
        }
        seen.set(key, variable);
      }
    }
  }
}

/** A function and those that it reaches, callees first. */
function reached(info: FunctionInfo, found = new Set<FunctionInfo>()): Set<FunctionInfo> {
  for (const callee of info.callees) if (!found.has(callee)) reached(callee, found);
  return found.add(info);
}
