// Which variables must be in memory: those indexed by a value that is known only when the kernel runs, directly or through
// a pointer. (A dynamic component of a vector is selected, so it does not count.)
import type { Expression, Program, ProgramFunction, Reference, Statement, Variable } from '../program/program.js';

/** The variable that a reference starts from, pointers followed as far as this function shows them. */
export function rootOf(reference: Reference, pointers: ReadonlyMap<Variable, Variable>): Variable | undefined {
  let at = reference;
  for (;;) {
    if (at.kind === 'variable') return at.variable;
    if (at.kind === 'dereference') return pointerRoot(at.pointer, pointers);
    at = at.base;
  }
}

/** The variable that a pointer points into; of a pointer parameter, the parameter. */
export function pointerRoot(pointer: Expression, pointers: ReadonlyMap<Variable, Variable>): Variable | undefined {
  if (pointer.kind === 'addressOf') return rootOf(pointer.reference, pointers);
  return pointer.kind === 'value' ? (pointers.get(pointer.variable) ?? pointer.variable) : undefined;
}

/** Calls back for every reference, call and assignment of a list of statements, callees not included. */
export interface Visitor {
  reference?(reference: Reference): void;
  call?(callee: ProgramFunction, args: readonly Expression[]): void;
  assign?(target: Reference): void;
  declare?(statement: Extract<Statement, { kind: 'declare' }>): void;
}

export function visit(statements: readonly Statement[], visitor: Visitor): void {
  for (const s of statements) visitStatement(s, visitor);
}

function visitStatement(s: Statement, visitor: Visitor): void {
  const expression = (e: Expression | undefined) => e && visitExpression(e, visitor);
  if (s.kind === 'declare') visitor.declare?.(s);
  if (s.kind === 'assign') visitor.assign?.(s.target);
  const loose = s as unknown as {
    initial?: Expression;
    value?: Expression;
    condition?: Expression;
    breakIf?: Expression;
    selector?: Expression;
    arguments?: readonly Expression[];
    target?: Reference;
    reference?: Reference;
    cases?: readonly { body: readonly Statement[] }[];
  } & Record<'body' | 'then' | 'otherwise' | 'continuing', readonly Statement[] | undefined>;
  for (const e of [loose.initial, loose.value, loose.condition, loose.breakIf, loose.selector]) expression(e);
  loose.arguments?.forEach(expression);
  for (const r of [loose.target, loose.reference]) if (r) visitReference(r, visitor);
  for (const list of [loose.body, loose.then, loose.otherwise, loose.continuing]) if (list) visit(list, visitor);
  for (const { body } of loose.cases ?? []) visit(body, visitor);
}

function visitExpression(e: Expression, visitor: Visitor): void {
  if (e.kind === 'call') visitor.call?.(e.function, e.arguments);
  const loose = e as unknown as {
    reference?: Reference;
    base?: Expression;
    index?: Expression | number;
    operand?: Expression;
    left?: Expression;
    right?: Expression;
    value?: Expression | number | boolean;
    parts?: readonly Expression[];
    arguments?: readonly Expression[];
  };
  if (loose.reference) visitReference(loose.reference, visitor);
  for (const child of [loose.base, loose.index, loose.operand, loose.left, loose.right, loose.value])
    if (typeof child === 'object') visitExpression(child, visitor);
  for (const list of [loose.parts, loose.arguments]) list?.forEach((child) => void visitExpression(child, visitor));
}

function visitReference(reference: Reference, visitor: Visitor): void {
  visitor.reference?.(reference);
  if (reference.kind === 'dereference') visitExpression(reference.pointer, visitor);
  if (reference.kind === 'element') visitExpression(reference.index, visitor);
  if (reference.kind === 'member' || reference.kind === 'element') visitReference(reference.base, visitor);
}

const pointersByFunction = new WeakMap<ProgramFunction, Map<Variable, Variable>>();

/** Pointers that a function binds with `let`, and what they point into. */
export function pointersOf(made: ProgramFunction): ReadonlyMap<Variable, Variable> {
  const known = pointersByFunction.get(made);
  if (known) return known;
  const pointers = new Map<Variable, Variable>();
  pointersByFunction.set(made, pointers);
  visit(made.body, {
    declare({ variable, initial }) {
      const root = variable.type.kind === 'pointer' && initial ? pointerRoot(initial, pointers) : undefined;
      if (root) pointers.set(variable, root);
    },
  });
  return pointers;
}

/** Variables (and pointer parameters, whatever is handed to them) with an element whose index is not constant. */
export function dynamicVariables({ functions }: Program): Set<Variable> {
  const dynamic = new Set<Variable>();
  for (const made of functions) {
    const pointers = pointersOf(made);
    visit(made.body, {
      reference(reference) {
        if (reference.kind !== 'element' || reference.index.kind === 'literal') return;
        if (reference.base.type.kind === 'vector') return;
        const root = rootOf(reference.base, pointers);
        if (root) dynamic.add(root);
      },
      call(callee, args) {
        args.forEach((arg, i) => {
          const root = dynamic.has(callee.parameters[i]!) ? pointerRoot(arg, pointers) : undefined;
          if (root) dynamic.add(root);
        });
      },
    });
  }
  return dynamic;
}
