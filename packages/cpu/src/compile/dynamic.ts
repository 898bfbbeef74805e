// Which variables must be in memory: those indexed by a value that is known only when the kernel runs, directly or through
// a pointer. (A dynamic component of a vector is selected, so it does not count.)
import type { Expression, Program, ProgramFunction, Reference, Variable } from '../program/program.js';
import { walk } from '../program/walk.js';

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

const pointersByFunction = new WeakMap<ProgramFunction, Map<Variable, Variable>>();

/** Pointers that a function binds with `let`, and what they point into. */
export function pointersOf(made: ProgramFunction): ReadonlyMap<Variable, Variable> {
  const known = pointersByFunction.get(made);
  if (known) return known;
  const pointers = new Map<Variable, Variable>();
  pointersByFunction.set(made, pointers);
  for (const statement of made.body)
    walk(statement, (part) => {
      if (part.kind === 'declare' && part.variable.type.kind === 'pointer' && part.initial) {
        const root = pointerRoot(part.initial, pointers);
        if (root) pointers.set(part.variable, root);
      }
      return true;
    });
  return pointers;
}

/** Variables (and pointer parameters, whatever is handed to them) with an element whose index is not constant. */
export function dynamicVariables({ functions }: Program): Set<Variable> {
  const dynamic = new Set<Variable>();
  for (const made of functions) {
    const pointers = pointersOf(made);
    const add = (root: Variable | undefined) => root && dynamic.add(root);
    for (const statement of made.body)
      walk(statement, (part) => {
        if (part.kind === 'element' && part.index.kind !== 'literal' && part.base.type.kind !== 'vector')
          add(rootOf(part.base, pointers));
        if (part.kind === 'call')
          part.arguments.forEach((arg, i) => {
            if (dynamic.has(part.function.parameters[i]!)) add(pointerRoot(arg, pointers));
          });
        return true;
      });
  }
  return dynamic;
}
