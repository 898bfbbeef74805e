// The graph of the uniformity analysis, and what follows from it: https://www.w3.org/TR/WGSL/#uniformity-function

import type { Variable } from '../program/program.js';
import { say } from '../say.js';
import { messageOf, type Span } from './lexer.js';
import type { Message } from './module.js';
import type { Severity } from './scope.js';
import { NEXT } from './statements.js';

/** What must be uniform, and where that was asked for. */
export interface Requirement {
  readonly severity: Severity;
  readonly what: string;
  readonly at: Span;
}

export interface ParameterTags {
  value?: Requirement;
  contents?: Requirement;
  /** Whether the result depends on it, or on what it points at. */
  toReturn: boolean;
  contentsToReturn: boolean;
  /** What the memory that it points at depends on after a call; undefined for other parameters. */
  after?: Dependencies;
}

export interface Dependencies {
  readonly nonUniform: boolean;
  readonly control: boolean;
  readonly values: readonly number[];
  readonly contents: readonly number[];
}

export interface Tags {
  callSite?: Requirement;
  returnsNonUniform: boolean;
  readonly parameters: ParameterTags[];
}

/** Where `break` and `continue` lead. */
export interface Exits {
  readonly loop: boolean;
  readonly out: Map<Variable, number>;
  readonly again: Map<Variable, number>;
}

export interface Flow {
  readonly control: number;
  readonly behavior: number;
}

export const NON_UNIFORM = 0;
export const START = 1;
export const RESULT = 2;
/** The graph of one function, and what its callers need to know of it. */
export class UniformityGraph {
  protected readonly edges: number[][] = [[], [], []];
  /** Why a node may be non-uniform by itself. */
  private readonly causes = new Map<number, { readonly text: string; readonly at: Span }>();
  private readonly required: { readonly node: number; readonly requirement: Requirement }[] = [];
  protected readonly parameterNodes: number[] = [];
  protected readonly contentNodes: (number | undefined)[] = [];
  protected readonly afterNodes: (number | undefined)[] = [];

  protected checkRequired(tags: Tags, messages: Message[]): void {
    const visited = new Set<number>();
    for (const severity of ['error', 'warning', 'info'] as const) {
      const found = new Map<number, { readonly from: number; readonly requirement: Requirement }>();
      const queue: number[] = [];
      const visit = (node: number, from: number, requirement: Requirement) => {
        if (found.has(node) || visited.has(node)) return;
        found.set(node, { from, requirement });
        queue.push(node);
      };
      for (const { node, requirement } of this.required)
        if (requirement.severity === severity) visit(node, -1, requirement);
      for (let i = 0; i < queue.length; i++) {
        const node = queue[i]!;
        for (const next of this.edges[node]!) visit(next, node, found.get(node)!.requirement);
      }
      for (const node of queue)
        if (node > RESULT && !this.parameterNodes.includes(node) && !this.contentNodes.includes(node))
          visited.add(node);
      const failure = found.get(NON_UNIFORM);
      if (failure !== undefined) {
        const { text, at } = this.causes.get(failure.from)!;
        const { what, at: where } = failure.requirement;
        messages.push(
          messageOf(where, say`${what} must be uniform, but it depends on ${text} in line ${at.line}.`, severity),
        );
        continue;
      }
      const start = found.get(START);
      if (start) tags.callSite ??= start.requirement;
      tags.parameters.forEach((tag, i) => {
        const [value, contents] = [found.get(this.parameterNodes[i]!), found.get(this.contentNodes[i] ?? -1)];
        if (value) tag.value ??= value.requirement;
        if (contents) tag.contents ??= contents.requirement;
      });
    }
  }

  protected summarise(tags: Tags): void {
    const returned = this.reachable(RESULT);
    tags.returnsNonUniform = returned.has(NON_UNIFORM);
    tags.parameters.forEach((tag, i) => {
      tag.toReturn = returned.has(this.parameterNodes[i]!);
      tag.contentsToReturn = returned.has(this.contentNodes[i] ?? -1);
      const after = this.afterNodes[i];
      if (after === undefined) return;
      const reached = this.reachable(after);
      const indices = (nodes: readonly (number | undefined)[]) =>
        nodes.flatMap((node, k) => (reached.has(node ?? -1) ? [k] : []));
      tag.after = {
        nonUniform: reached.has(NON_UNIFORM),
        control: reached.has(START),
        values: indices(this.parameterNodes),
        contents: indices(this.contentNodes),
      };
    });
  }

  private reachable(start: number): Set<number> {
    const found = new Set([start]);
    for (const node of found) for (const next of this.edges[node]!) found.add(next);
    return found;
  }

  protected node(...targets: number[]): number {
    this.edges.push(targets);
    return this.edges.length - 1;
  }

  protected cause(text: string, at: Span): number {
    const node = this.node(NON_UNIFORM);
    this.causes.set(node, { text, at });
    return node;
  }

  protected require(node: number, requirement: Requirement): void {
    if (requirement.severity !== 'off') this.required.push({ node, requirement });
  }

  protected barrier(control: number, name: string, at: Span): void {
    this.require(control, { severity: 'error', what: `Control flow at ${name}`, at });
  }

  /** Where one of several ways was taken. */
  protected merge(control: number, flows: readonly Flow[], behavior: number): Flow {
    return { control: behavior === NEXT ? control : this.node(...flows.map((flow) => flow.control)), behavior };
  }
}
