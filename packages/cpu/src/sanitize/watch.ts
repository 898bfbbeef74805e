// What the sanitizer runs: a program in scalar mode in which memory stays as the text names it. An access keeps
// its indices and its source; all that is pure becomes the same instructions as in scalar mode.
import type { Body, Source, Value } from '../compile/ir.js';
import type { KernelBinding } from '../compile/kernel.js';
import type { Schedule } from '../compile/place-values.js';
import type { GlobalVariable, Program } from '../program/program.js';
import type { Parts } from './parts.js';

export interface WatchedProgram {
  readonly body: Body;
  readonly plan: Schedule;
  /** A body around it, for what is computed before. */
  readonly root: Body;
  /** The subgroup operation that an effect belongs to. */
  readonly meetings: ReadonlyMap<Value, Source>;
  readonly bindings: readonly KernelBinding[];
  /** Names of the bindings' variables. */
  readonly names: readonly string[];
  readonly workgroupBytes: number;
  /** Words of an invocation's own memory. */
  readonly frameWords: number;
}

/** @throws Error (`internal: …`) for what the front end should have refused */
export function watchProgram(program: Program, parts: Parts): WatchedProgram {
  const { lower, schedule, kernelBinding, ScalarMode } = parts;
  const { context, body, bindings } = lower(program, true);
  const meetings = new Map<Value, Source>();

  class WatchMode extends ScalarMode {
    protected override effect(value: Value): Value {
      const args = value.args.map((arg) => this.value(arg));
      const made = this.g.fresh(value.op, value.kind, args, value.imm, value.access);
      const meeting = context.meetings.get(value);
      if (meeting) meetings.set(made, meeting);
      this.memo.set(value, made);
      return made;
    }
  }

  const mode = new WatchMode(context.g, context.aliases);
  const watched = mode.body(body);
  const root: Body = { nodes: [{ kind: 'loop', body: watched, phis: [] }] };
  return {
    body: watched,
    root,
    plan: schedule(root, () => false),
    meetings,
    bindings: (bindings as readonly GlobalVariable[]).map(kernelBinding),
    names: bindings.map(({ name }) => name),
    workgroupBytes: Math.ceil(context.workgroupSize / 16) * 16,
    frameWords: context.frameSize,
  };
}
