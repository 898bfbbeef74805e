// The one walk over what a program is made of.
import type { Expression, Reference, Statement } from './program.js';

export type Part = Statement | Expression | Reference;

/** Visits a part of a program and what is within it (callees are not), as long as `visit` says so. */
export function walk(part: Part, visit: (inner: Part) => boolean): void {
  if (!visit(part)) return;
  for (const key in part) {
    const value: unknown = part[key as keyof Part];
    if (typeof value !== 'object' || key === 'type' || key === 'variable' || key === 'function') continue;
    if (Array.isArray(value)) for (const inner of value) enter(inner, visit);
    else enter(value, visit);
  }
}

function enter(inner: unknown, visit: (inner: Part) => boolean): void {
  if (typeof inner !== 'object' || inner === null) return;
  if ('kind' in inner && 'at' in inner) walk(inner as Part, visit);
  // The cases of a switch are lists of statements.
  else if ('body' in inner && 'values' in inner) for (const one of inner.body as Statement[]) walk(one, visit);
}

/** Expressions and references have a type. */
export const isStatement = (part: Part): part is Statement => !('type' in part);
