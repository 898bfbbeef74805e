// What the sanitizer reports.
import type { Source } from '../compile/ir.js';

/** An invocation, by its `global_invocation_id` and its `workgroup_id`. */
export interface FindingInvocation {
  readonly global: readonly [number, number, number];
  readonly workgroup: readonly [number, number, number];
}

/** An access, a barrier or a subgroup operation in the WGSL text. */
export interface FindingPlace {
  /** Lines and columns count from 1, as those of GPUCompilationMessage. */
  readonly line: number;
  readonly column: number;
  /** The line of WGSL. */
  readonly code: string;
  /** What the invocation did there: `reads`, `writes`, `reads atomically`, `waits at workgroupBarrier`, … */
  readonly does: string;
  readonly invocation: FindingInvocation;
}

/**
 * - `race`: two invocations access the same memory, at least one of them writes, not both are atomic, and no barrier for that
 *   memory lies between them.
 * - `out-of-bounds`: an index beyond what it points into; WebGPU clamps it or drops the access.
 * - `uninitialized`: workgroup memory that is read before it is written. WGSL says it is zero; kernels rarely mean that.
 * - `divergence`: a barrier that not all invocations of the workgroup reach, or a subgroup operation that not all of the
 *   subgroup reach.
 * - `order`: memory ends with other bytes when invocations and workgroups run in another order.
 */
export type FindingKind = 'race' | 'out-of-bounds' | 'uninitialized' | 'divergence' | 'order';

/** Something that the sanitizer found. Each is reported once per kernel, kind and place. */
export interface Finding {
  readonly kind: FindingKind;
  /** One or two sentences with all of the below. */
  readonly message: string;
  /** The variable, or the barrier or subgroup operation. */
  readonly variable: string;
  /** The accesses, one or two. */
  readonly places: readonly FindingPlace[];
  /** The label of the shader module, and the entry point. */
  readonly shader: string;
  readonly entryPoint: string;
}

/** A place in the text that findings may name. */
export interface Site extends Source {
  readonly space: 'storage' | 'workgroup' | 'private';
}

/** What is known of a kernel when something is found in it. */
export interface Origin {
  readonly lines: readonly string[];
  readonly shader: string;
  readonly entryPoint: string;
}

/** One side of a finding, before the text is looked up. */
export interface Side {
  readonly site: Site;
  readonly does: string;
  readonly invocation: FindingInvocation;
}

/** @param say - makes the sentence from the places, which are shown as ‘invocation (…) reads … at line …’ */
export function makeFinding(
  kind: FindingKind,
  origin: Origin,
  sides: readonly Side[],
  say: (shown: readonly string[]) => string,
): Finding {
  const places = sides.map(({ site, does, invocation }): FindingPlace => {
    const { line, column } = site.at;
    return { line, column, code: (origin.lines[line - 1] ?? '').trim(), does, invocation };
  });
  const shown = places.map(({ line, code, does, invocation: { global, workgroup } }) => {
    return `invocation (${global.join(', ')}) of workgroup (${workgroup.join(', ')}) ${does} at line ${line}, \`${code}\``;
  });
  const { shader, entryPoint } = origin;
  const name = shader ? `"${shader}", ${entryPoint}` : entryPoint;
  return {
    kind,
    message: `${kind} in ${name}: ${say(shown)}`,
    variable: sides[0]!.site.name,
    places,
    shader,
    entryPoint,
  };
}
