// What the sanitizer (sanitize/) runs: a program in scalar mode in which memory stays as the text names it. An access keeps
// its indices and its source; all that is pure becomes the same instructions as in scalar mode.
import type { GlobalVariable, Program } from '../program/program.js';
import { kernelBinding } from './compile.js';
import type { Context } from './context.js';
import type { Body, Source, Value } from './ir.js';
import type { KernelBinding } from './kernel.js';
import { lower } from './lower.js';
import { type Schedule, schedule } from './place-values.js';
import { ScalarMode } from './scalar.js';

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
export function watchProgram(program: Program): WatchedProgram {
  const { context, body, bindings } = lower(program, true);
  const mode = new WatchMode(context);
  const watched = mode.body(body);
  const root: Body = { nodes: [{ kind: 'loop', body: watched, phis: [] }] };
  return {
    body: watched,
    root,
    plan: schedule(root, () => false),
    meetings: mode.meetings,
    bindings: (bindings as readonly GlobalVariable[]).map(kernelBinding),
    names: bindings.map(({ name }) => name),
    workgroupBytes: Math.ceil(context.workgroupSize / 16) * 16,
    frameWords: context.frameSize,
  };
}

class WatchMode extends ScalarMode {
  readonly meetings: Map<Value, Source> = new Map();

  constructor(private readonly context: Context) {
    super(context.g, context.aliases);
  }

  protected override effect(value: Value): Value {
    const args = value.args.map((arg) => this.value(arg));
    const made = this.g.fresh(value.op, value.kind, args, value.imm, value.access);
    const meeting = this.context.meetings.get(value);
    if (meeting) this.meetings.set(made, meeting);
    this.memo.set(value, made);
    return made;
  }
}
