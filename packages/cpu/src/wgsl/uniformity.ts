// Barriers and collective operations must be reached by all invocations or by none. This is the specification's analysis, a
// graph for each function in which an edge means "is uniform only if that is": https://www.w3.org/TR/WGSL/#uniformity
import type { Expression, LocalVariable, ProgramFunction, Reference, Statement, Variable } from '../program/program.js';
import { isStatement, walk } from '../program/walk.js';
import type { Span } from './lexer.js';
import type { Message } from './module.js';
import { type FunctionInfo, type ModuleScope, rootOf } from './scope.js';
import { BREAK, CONTINUE, loopBehavior, NEXT, RETURN } from './statements.js';
import {
  type Exits,
  type Flow,
  RESULT,
  type Requirement,
  START,
  type Tags,
  UniformityGraph,
} from './uniformity-graph.js';

const UNIFORM_INPUTS = ['workgroup_id', 'num_workgroups', 'subgroup_size', 'num_subgroups'];

/** Messages for what may not be uniform and must be. `functions` has callees before callers. */
export function checkUniformity(functions: readonly FunctionInfo[], module: ModuleScope): Message[] {
  const tags = new Map<ProgramFunction, Tags>();
  const messages: Message[] = [];
  for (const { program } of functions) {
    const graph = new FunctionGraph(program, module, tags);
    tags.set(program, graph.analyse(messages));
  }
  return messages;
}

class FunctionGraph extends UniformityGraph {
  private readonly values = new Map<Variable, number>();
  /** What the variables of the function hold at this point. */
  private contents = new Map<Variable, number>();
  private readonly exits: Exits[] = [];
  /** Variables that each statement may change. */
  private readonly changed = new Map<Statement, Set<Variable>>();

  constructor(
    private readonly program: ProgramFunction,
    private readonly module: ModuleScope,
    private readonly tags: ReadonlyMap<ProgramFunction, Tags>,
  ) {
    super();
  }

  analyse(messages: Message[]): Tags {
    const { parameters, inputs, body } = this.program;
    parameters.forEach((parameter, i) => {
      const input = inputs?.[i];
      const names = input === undefined ? [] : typeof input === 'string' ? [input] : input;
      const varying = names.some((name) => !UNIFORM_INPUTS.includes(name));
      const node = varying ? this.cause(`"${parameter.name}"`, parameter.at as Span) : this.node();
      this.parameterNodes.push(node);
      this.values.set(parameter, node);
      const pointsInside = parameter.type.kind === 'pointer' && parameter.type.space === 'function';
      this.contentNodes.push(pointsInside ? this.node() : undefined);
      this.afterNodes.push(pointsInside ? this.node() : undefined);
      if (pointsInside) this.contents.set(parameter, this.contentNodes[i]!);
    });
    const { behavior } = this.sequence(START, body);
    if (behavior & NEXT) this.leave();
    const tags: Tags = {
      returnsNonUniform: false,
      parameters: parameters.map(() => ({ toReturn: false, contentsToReturn: false })),
    };
    this.checkRequired(tags, messages);
    this.summarise(tags);
    return tags;
  }

  // -------------------------------------------------------------------------------------------------- expressions

  private all(control: number, list: readonly Expression[]): number {
    return this.node(control, ...list.map((one) => this.value(control, one)));
  }

  private value(control: number, expression: Expression): number {
    switch (expression.kind) {
      case 'literal':
      case 'zero':
        return control;
      case 'load':
        return this.loaded(control, expression.reference);
      case 'addressOf':
        return this.address(control, expression.reference);
      case 'value':
        return this.node(control, this.values.get(expression.variable) ?? control);
      case 'extractMember':
      case 'swizzle':
        return this.value(control, expression.base);
      case 'extract':
        return this.node(this.value(control, expression.base), this.value(control, expression.index));
      case 'unary':
        return this.value(control, expression.operand);
      case 'binary':
        return this.node(this.value(control, expression.left), this.value(control, expression.right));
      case 'logical':
        return this.value(this.value(control, expression.left), expression.right);
      case 'splat':
      case 'convert':
      case 'bitcast':
        return this.node(control, this.value(control, expression.value));
      case 'construct':
        return this.all(control, expression.parts);
      case 'builtin':
        return this.all(control, expression.arguments);
      case 'arrayLength':
        return this.address(control, expression.reference);
      case 'atomic':
        this.address(control, expression.reference);
        this.all(control, expression.arguments);
        return this.cause(expression.name, expression.at as Span);
      default:
        return this.call(control, expression);
    }
  }

  private loaded(control: number, reference: Reference): number {
    const { root } = rootOf(reference, this.module.pointers);
    const indices = this.indices(control, reference);
    if (root.kind === 'global' || !this.contents.has(root)) {
      const pointer = root.type.kind === 'pointer' ? root.type : undefined;
      const access = root.kind === 'global' ? root.access : pointer?.access;
      if (access !== 'read') return this.cause(`"${root.name}"`, reference.at as Span);
      return this.node(control, ...indices);
    }
    return this.node(control, this.contents.get(root)!, ...indices);
  }

  /** The place itself, whatever is in it. */
  private address(control: number, reference: Reference): number {
    const { root } = rootOf(reference, this.module.pointers);
    const base = root.kind === 'parameter' && root.type.kind === 'pointer' ? this.values.get(root)! : control;
    return this.node(control, base, ...this.indices(control, reference));
  }

  /** Indices of a place; those of a `let` pointer were evaluated where it was declared. */
  private indices(control: number, reference: Reference): number[] {
    const found: number[] = [];
    for (let current = reference; current.kind !== 'variable'; ) {
      if (current.kind === 'dereference') {
        const { pointer } = current;
        if (pointer.kind === 'addressOf') {
          current = pointer.reference;
          continue;
        }
        if (pointer.kind === 'value' && pointer.variable.kind === 'let')
          found.push(this.values.get(pointer.variable) ?? control);
        break;
      }
      if (current.kind === 'element') found.push(this.value(control, current.index));
      current = current.base;
    }
    return found;
  }

  private call(control: number, { function: callee, arguments: list, at }: Expression & { kind: 'call' }): number {
    const tags = this.tags.get(callee);
    const values = list.map((one) => this.value(control, one));
    if (tags === undefined) return this.node(control, ...values);
    const roots = list.map((one) =>
      one.type.kind === 'pointer' && one.type.space === 'function' ? this.pointed(one) : undefined,
    );
    const contents = roots.map((root) => (root === undefined ? undefined : this.contents.get(root.root)));
    const ask = (node: number, { severity, what }: Requirement) =>
      this.require(node, { severity, what: `${what} (in "${callee.name}")`, at: at as Span });
    if (tags.callSite) ask(control, tags.callSite);
    const result = this.node(control);
    const to = this.edges[result]!;
    if (tags.returnsNonUniform) to.push(this.cause(`"${callee.name}"`, at as Span));
    tags.parameters.forEach((tag, i) => {
      if (tag.value) ask(values[i]!, tag.value);
      if (tag.contents) ask(contents[i]!, tag.contents);
      if (tag.toReturn) to.push(values[i]!);
      if (tag.contentsToReturn) to.push(contents[i]!);
    });
    tags.parameters.forEach(({ after }, i) => {
      const root = roots[i];
      if (after === undefined || root === undefined) return;
      const sources = [...after.values.map((k) => values[k]!), ...after.contents.map((k) => contents[k]!)];
      if (after.nonUniform) sources.push(this.cause(`"${callee.name}"`, at as Span));
      if (after.control) sources.push(control);
      if (!root.full) sources.push(contents[i]!);
      this.contents.set(root.root, this.node(...sources));
    });
    return result;
  }

  private pointed(pointer: Expression): { root: Variable; full: boolean } {
    const reference: Reference =
      pointer.kind === 'addressOf'
        ? pointer.reference
        : { kind: 'dereference', pointer, type: pointer.type, at: pointer.at };
    return rootOf(reference, this.module.pointers);
  }

  // --------------------------------------------------------------------------------------------------- statements

  private sequence(control: number, list: readonly Statement[]): Flow {
    let flow: Flow = { control, behavior: NEXT };
    for (const statement of list) {
      if (!(flow.behavior & NEXT)) break;
      const own = this.statement(flow.control, statement);
      flow = { control: own.control, behavior: (flow.behavior & ~NEXT) | own.behavior };
    }
    return flow;
  }

  private statement(control: number, statement: Statement): Flow {
    switch (statement.kind) {
      case 'declare':
        this.declare(control, statement.variable, statement.initial);
        break;
      case 'assign':
        this.assign(control, statement.target, statement.value);
        break;
      case 'evaluate':
        this.value(control, statement.value);
        break;
      case 'block':
        return this.sequence(control, statement.body);
      case 'if':
        return this.if(control, statement);
      case 'loop':
        return this.loop(control, statement);
      case 'switch':
        return this.switch(control, statement);
      case 'break':
      case 'continue':
        this.jump(statement.kind);
        return { control, behavior: statement.kind === 'break' ? BREAK : CONTINUE };
      case 'return':
        if (statement.value) this.edges[RESULT]!.push(this.value(control, statement.value));
        this.leave();
        return { control, behavior: RETURN };
      case 'barrier':
        this.barrier(control, statement.name, statement.at as Span);
        break;
      case 'uniformLoad': {
        const at = statement.at as Span;
        const address = this.address(control, statement.reference);
        this.barrier(control, 'workgroupUniformLoad', at);
        this.require(address, { severity: 'error', what: 'The pointer for workgroupUniformLoad', at });
        this.values.set(statement.variable, address);
        break;
      }
      default:
        this.collective(control, statement);
    }
    return { control, behavior: NEXT };
  }

  private collective(control: number, statement: Statement & { kind: 'collective' }): void {
    const { name, variable, arguments: list } = statement;
    const at = statement.at as Span;
    const severity = this.module.severities.get(statement) ?? 'error';
    const values = list.map((one) => this.value(control, one));
    this.require(control, { severity, what: `Control flow at ${name}`, at });
    if (/Shuffle(?:Up|Down|Xor)$/.test(name))
      this.require(values[1]!, { severity, what: `The second argument of ${name}`, at });
    this.values.set(variable, this.cause(name, at));
  }

  private declare(control: number, variable: LocalVariable, initial: Expression | undefined): void {
    const node = initial ? this.value(control, initial) : control;
    if (variable.kind === 'var') this.contents.set(variable, node);
    else this.values.set(variable, node);
  }

  private assign(control: number, target: Reference, value: Expression): void {
    const { root, full } = rootOf(target, this.module.pointers);
    const indices = this.indices(control, target);
    const node = this.node(control, this.value(control, value), ...indices);
    const before = this.contents.get(root);
    if (root.kind === 'global' || before === undefined) return;
    if (!full) this.edges[node]!.push(before);
    this.contents.set(root, node);
  }

  /** The function is left: what its pointers point at is what the caller finds. */
  private leave(): void {
    this.program.parameters.forEach((parameter, i) => {
      const after = this.afterNodes[i];
      if (after !== undefined) this.edges[after]!.push(this.contents.get(parameter)!);
    });
  }

  private jump(kind: 'break' | 'continue'): void {
    const exit = this.exits.findLast(({ loop }) => kind === 'break' || loop)!;
    this.join(kind === 'break' ? exit.out : exit.again);
  }

  /** What variables hold now is one of the things that they may hold there. */
  private join(there: ReadonlyMap<Variable, number>): void {
    for (const [variable, node] of there) {
      const now = this.contents.get(variable);
      if (now !== undefined) this.edges[node]!.push(now);
    }
  }

  /** Nodes for the variables that statements may change. */
  private joints(...lists: readonly (readonly Statement[])[]): Map<Variable, number> {
    const changed = new Set<Variable>();
    for (const one of lists.flat()) for (const variable of this.changes(one)) changed.add(variable);
    return new Map([...changed].map((variable) => [variable, this.node()]));
  }

  private changes(statement: Statement): Set<Variable> {
    const known = this.changed.get(statement);
    if (known !== undefined) return known;
    const found = new Set<Variable>();
    this.changed.set(statement, found);
    if (statement.kind === 'declare' && statement.variable.kind === 'var') found.add(statement.variable);
    if (statement.kind === 'assign') found.add(rootOf(statement.target, this.module.pointers).root);
    walk(statement, (part) => {
      if (part === statement) return true;
      if (isStatement(part)) {
        for (const variable of this.changes(part)) found.add(variable);
        return false;
      }
      // Variables whose address is given to a function.
      for (const one of part.kind === 'call' ? part.arguments : []) {
        if (one.type.kind === 'pointer' && one.type.space === 'function') found.add(this.pointed(one).root);
      }
      return true;
    });
    return found;
  }

  private if(control: number, { condition, then: body, otherwise }: Statement & { kind: 'if' }): Flow {
    const test = this.value(control, condition);
    const joints = this.joints(body, otherwise);
    const before = new Map([...joints.keys()].map((variable) => [variable, this.contents.get(variable)]));
    const flows = [body, otherwise].map((list) => {
      for (const [variable, node] of before) if (node !== undefined) this.contents.set(variable, node);
      const flow = this.sequence(test, list);
      if (flow.behavior & NEXT) this.join(joints);
      return flow;
    });
    for (const [variable, node] of joints) this.contents.set(variable, node);
    return this.merge(control, flows, flows[0]!.behavior | flows[1]!.behavior);
  }

  private switch(control: number, { selector, cases }: Statement & { kind: 'switch' }): Flow {
    const test = this.value(control, selector);
    const out = this.joints(...cases.map(({ body }) => body));
    const before = new Map([...out.keys()].map((variable) => [variable, this.contents.get(variable)]));
    this.exits.push({ loop: false, out, again: new Map() });
    const flows = cases.map(({ body }) => {
      for (const [variable, node] of before) if (node !== undefined) this.contents.set(variable, node);
      const flow = this.sequence(test, body);
      if (flow.behavior & NEXT) this.join(out);
      return flow;
    });
    this.exits.pop();
    for (const [variable, node] of out) this.contents.set(variable, node);
    const all = flows.reduce((sum, flow) => sum | flow.behavior, 0);
    return this.merge(control, flows, all & BREAK ? (all | NEXT) & ~BREAK : all);
  }

  private loop(control: number, { body, continuing, breakIf }: Statement & { kind: 'loop' }): Flow {
    const start = this.node(control);
    const entered = this.joints(body, continuing);
    const copy = () => new Map([...entered.keys()].map((variable) => [variable, this.node()]));
    const [again, out] = [copy(), copy()];
    this.join(entered);
    const resume = (from: ReadonlyMap<Variable, number>) => {
      for (const [variable, node] of from) this.contents.set(variable, node);
    };
    resume(entered);
    this.exits.push({ loop: true, out, again });
    const first = this.sequence(start, body);
    if (first.behavior & NEXT) this.join(again);
    this.exits.pop();
    resume(again);
    const repeats = (first.behavior & (NEXT | CONTINUE)) !== 0;
    let after: Flow = { control: first.control, behavior: NEXT };
    if (repeats) {
      after = this.sequence(first.control, continuing);
      if (breakIf) {
        after = { control: this.node(this.value(after.control, breakIf)), behavior: after.behavior | BREAK };
        this.join(out);
      }
      this.join(entered);
      this.edges[start]!.push(after.control);
    }
    resume(out);
    const behavior = loopBehavior(first.behavior, after.behavior);
    if (!(first.behavior & RETURN)) return { control, behavior };
    return { control: repeats ? start : first.control, behavior };
  }
}
