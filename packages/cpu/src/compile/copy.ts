// Lanes mode writes some pieces of a program twice: once under assumptions, once under none.
import { type Divergence, divergence, type Shape, type Transfer } from './divergence.js';
import type { BlockNode, Node, Value } from './ir.js';
import { inLanes } from './shapes.js';
import type { Version } from './versions.js';

/** What a phi or an effect has become: a scalar, or one value a lane. */
export interface Made {
  readonly scalar?: Value | undefined;
  readonly vector?: Value | undefined;
}

/** One copy of a piece of the program: under assumptions, or under none. */
export class Copy {
  readonly found: Divergence;
  readonly scalars = new Map<Value, Value>();
  readonly vectors = new Map<Value, Value>();
  readonly defined = new Map<Value, Made>();

  constructor(
    nodes: readonly Node[],
    aliases: ReadonlyMap<Value, Value>,
    readonly version?: Version,
    readonly parent?: Copy,
    /** Whether it holds no other versions. */
    readonly plain = false,
  ) {
    const transfer: Transfer = (value, shape) => {
      const assumed = version?.assumed.get(value);
      return assumed ?? inLanes(value, shape);
    };
    this.found = divergence({ nodes: [...nodes] }, transfer, aliases, parent && ((phi) => parent.found.shape(phi)));
  }

  shape(value: Value): Shape {
    return this.found.shape(value);
  }

  isDivergent(block: BlockNode): boolean {
    return this.found.blocks.has(block) || !!this.parent?.isDivergent(block);
  }

  definition(value: Value): Made | undefined {
    return this.defined.get(value) ?? this.parent?.definition(value);
  }
}
