// A program as the text of a JavaScript generator: one run of it is one invocation, which yields where it meets others.
import type { Access, BlockNode, Body, Node, Source, Value } from '../compile/ir.js';
import type { Site } from './finding.js';
import { MATH_NAMES, write } from './operations.js';
import type { WatchedProgram } from './watch.js';

/** Where invocations meet: the generator yields its number. */
export type Meeting =
  | { readonly kind: 'barrier'; readonly source: Source }
  | {
      readonly kind: 'collective';
      readonly source: Source;
      readonly name: string;
      readonly of: string;
      readonly word: number;
    };

export interface ProgramText {
  /**
   * The body of a function of {@link PARAMETERS}, which returns the (generator) function of one invocation:
   * `(index, x, y, z) => …`, the index in the workgroup and the workgroup's position.
   */
  readonly body: string;
  readonly sites: readonly Site[];
  readonly meetings: readonly Meeting[];
  /** Whether something is smaller than 32 bits in memory that is watched. */
  readonly halves: boolean;
}

/**
 * `memory` has views of everything (`f`, `i`, `h`), `address` and `size` of each binding, and where the `workgroup`'s and the
 * invocations' own memory begins (`frame`, an index of 32-bit words). `watch` hears of each access. `shown` and `lanes` take
 * the operands of subgroup operations.
 */
export const PARAMETERS = ['memory', 'watch', 'help', 'math', 'shown', 'lanes', 'groups'] as const;

export function writeProgram(program: WatchedProgram, subgroupSize: number): ProgramText {
  return new Writer(program, subgroupSize).run();
}

const isCollective = ({ op }: Value): boolean => /^(subgroup|quad)/.test(op);

class Writer {
  private readonly lines: string[] = [];
  private readonly variables = new Set<string>();
  private readonly labels = new Map<BlockNode, string>();
  private readonly sites: Site[] = [];
  private readonly siteNumbers = new Map<string, number>();
  private readonly found: Meeting[] = [];
  private halves = false;

  constructor(
    private readonly program: WatchedProgram,
    private readonly subgroupSize: number,
  ) {}

  run(): ProgramText {
    this.before(this.program.root, 0);
    this.body(this.program.body);
    const generator = this.found.length > 0 ? 'function*' : 'function';
    const body = `'use strict';
const { ${MATH_NAMES.join(', ')} } = Math;
const { f, i, h, address, size, workgroup, frame } = memory;
return ${generator} (index, group_0, group_1, group_2) {
const own = frame + index * ${this.program.frameWords};
let at = 0${[...this.variables].map((name) => `, ${name} = 0`).join('')};
${this.lines.join('\n')}
};`;
    return { body, sites: this.sites, meetings: this.found, halves: this.halves };
  }

  private line(text: string): void {
    this.lines.push(text);
  }

  private name(value: Value): string {
    const name = `v${value.id}`;
    this.variables.add(name);
    return name;
  }

  private before(body: Body, index: number): void {
    for (const value of this.program.plan.infos.get(body)!.before.get(index) ?? []) {
      this.line(`${this.name(value)} = ${this.expression(value)};`);
    }
  }

  private body(body: Body): void {
    body.nodes.forEach((node, i) => {
      this.before(body, i);
      this.node(node);
    });
  }

  private node(node: Node): void {
    switch (node.kind) {
      case 'op':
        this.effect(node.value);
        return;
      case 'move':
        this.move(node.phis, node.values);
        return;
      case 'if':
        this.line(`if (${this.value(node.condition)}) {`);
        this.body(node.taken);
        if (node.otherwise.nodes.length > 0) this.line('} else {');
        this.body(node.otherwise);
        this.line('}');
        return;
      case 'block': {
        const label = `b${this.labels.size}`;
        this.labels.set(node, label);
        this.line(`${label}: {`);
        this.body(node.body);
        this.line('}');
        return;
      }
      case 'loop':
        this.line('for (;;) {');
        this.body(node.body);
        this.line('}');
        return;
      case 'break':
        this.line(`break ${this.labels.get(node.target)};`);
        return;
      case 'barrier':
        this.line(`yield ${this.meeting({ kind: 'barrier', source: node.source })};`);
        return;
      case 'region':
        throw new Error('internal: the sanitizer splits nothing at barriers.');
    }
  }

  private meeting(meeting: Meeting): number {
    return this.found.push(meeting) - 1;
  }

  private move(phis: readonly Value[], values: readonly Value[]): void {
    const moved = phis.flatMap((phi, k) =>
      this.program.plan.live.has(phi) && values[k] !== phi ? [{ phi, value: values[k]! }] : [],
    );
    if (moved.length === 1) this.line(`${this.name(moved[0]!.phi)} = ${this.value(moved[0]!.value)};`);
    if (moved.length < 2) return;
    // All at once: a value may be another's phi.
    moved.forEach(({ value }, k) => {
      this.variables.add(`m${k}`);
      this.line(`m${k} = ${this.value(value)};`);
    });
    moved.forEach(({ phi }, k) => void this.line(`${this.name(phi)} = m${k};`));
  }

  /** A value where it is used. */
  private value(value: Value): string {
    if (this.program.plan.locals.has(value) || value.pinned || value.op === 'phi') return this.name(value);
    return this.expression(value);
  }

  private expression({ op, kind, args, imm }: Value): string {
    switch (op) {
      case 'const':
        return kind === 'f32' ? number(imm) : imm < 0 ? `(${imm})` : `${imm}`;
      case 'local_index':
        return 'index';
      case 'subgroup_size':
        return `${this.subgroupSize}`;
      case 'workgroup_id':
        return `group_${imm}`;
      case 'num_workgroups':
        return `groups[${imm}]`;
      case 'binding_size':
        return `size[${imm}]`;
      default:
        return write(
          op,
          args.map((arg) => this.value(arg)),
        );
    }
  }

  // -------------------------------------------------------------------------------------------------------- effects

  private effect(value: Value): void {
    const { op, args, access } = value;
    const name = value.kind === 'none' ? '' : this.name(value);
    if (op === 'show') this.line(`${name} = ${this.value(args[0]!)};`);
    else if (isCollective(value)) this.collective(value, name);
    else if (op === 'clear') this.clear(access!, value.imm);
    else if (op === 'index') this.access(access!, args, '', () => {});
    else if (op === 'load' || op === 'uniformLoad') this.load(access!, args, name);
    else if (op === 'store') this.store(access!, args.slice(0, -1), args.at(-1)!);
    else this.atomic(op, access!, args, name);
  }

  private collective(value: Value, name: string): void {
    const [of, type = 'u32'] = value.op.split(' ') as [string, string?];
    const [shown, lane] = value.args;
    if (shown) this.line(`shown[index] = ${this.value(shown)};`);
    if (lane) this.line(`lanes[index] = ${this.value(lane)};`);
    const source = this.program.meetings.get(value)!;
    this.line(`${name} = yield ${this.meeting({ kind: 'collective', source, name: of, of: type, word: value.imm })};`);
  }

  /** The invocation's own memory from a place on. */
  private clear({ offset }: Access, words: number): void {
    this.line(`i.fill(0, own + ${offset}, own + ${offset + words});`);
  }

  private load(access: Access, indices: readonly Value[], name: string): void {
    const inside = () => {
      this.hear('read', access);
      this.line(`${name} = ${this.element(access)};`);
    };
    this.access(access, indices, `${name} = 0;`, inside);
  }

  private store(access: Access, indices: readonly Value[], value: Value): void {
    this.access(access, indices, '', () => {
      this.hear('write', access);
      const text = this.value(value);
      if (access.width === 'f16') this.line(`h[at >>> 1] = help.encodeHalf(${text});`);
      else this.line(`${this.element(access)} = ${text};`);
      // JavaScript leaves open which NaN it writes; bits of a buffer can be seen.
      if (access.width === 'f32' && access.root.kind === 'binding')
        this.line('if (f[at >>> 2] !== f[at >>> 2]) i[at >>> 2] = 0x7fc00000;');
    });
  }

  private atomic(op: string, access: Access, args: readonly Value[], name: string): void {
    const count = access.strides.length;
    const [a = '', b = ''] = args.slice(count).map((arg) => this.value(arg));
    this.access(access, args.slice(0, count), `${name} = 0;`, () => {
      this.hear(op === 'atomicLoad' ? 'readAtomic' : op === 'atomicStore' ? 'writeAtomic' : 'update', access);
      this.line(`${name} = ${this.element(access)};`);
      this.line(atomics[op]!(this.element(access), name, a, b));
      if (op === 'atomicStore') this.line(`${name} = 0;`);
    });
  }

  /** Computes `at` and does something there, or reports an index that is out of bounds. */
  private access(access: Access, indices: readonly Value[], beyond: string, inside: () => void): void {
    const { offset, strides, counts, root } = access;
    const texts = indices.map((index, k) => this.once(this.value(index), `k${k}`));
    const sizes = counts.map((count, k) => (count === undefined ? this.runtimeCount(access, k) : `${count}`));
    const base = root.kind === 'binding' ? `address[${root.index}]` : root.kind === 'workgroup' ? 'workgroup' : 'own';
    const terms = texts.map((text, k) => ` + ${text} * ${strides[k]}`).join('');
    const checked = texts.map((text, k) => `${text} >>> 0 < ${sizes[k]}`).join(' && ');
    if (checked) this.line(`if (${checked}) {`);
    this.line(`at = ${base} + ${offset}${terms};`);
    inside();
    if (!checked) return;
    const worst = texts.map(
      (text, k) => `if (!(${text} >>> 0 < ${sizes[k]})) watch.beyond(${this.site(access)}, ${text}, ${sizes[k]});`,
    );
    this.line(`} else { ${worst.join(' else ')} ${beyond} }`);
  }

  /** A text that costs nothing to repeat. */
  private once(text: string, name: string): string {
    if (/^\w+$/.test(text)) return text;
    this.variables.add(name);
    this.line(`${name} = ${text};`);
    return name;
  }

  private runtimeCount({ root, arrayOffset = 0, strides }: Access, k: number): string {
    return `((size[${root.kind === 'binding' ? root.index : 0}] - ${arrayOffset}) / ${strides[k]} >>> 0)`;
  }

  private element({ root, width }: Access): string {
    if (root.kind === 'frame') return `${width === 'i32' ? 'i' : 'f'}[at]`;
    if (width === 'f16') return 'help.decodeHalf(h[at >>> 1])';
    return `${width === 'f32' ? 'f' : 'i'}[at >>> 2]`;
  }

  private hear(what: string, access: Access): void {
    const { root, width } = access;
    if (root.kind === 'frame' || (root.kind === 'binding' && this.program.bindings[root.index]!.kind !== 'storage'))
      return;
    if (width === 'f16') this.halves = true;
    const space = root.kind === 'workgroup' ? 'workgroup' : 'storage';
    this.line(`watch.${space}.${what}(${this.site(access)}, at, ${width === 'f16' ? 2 : 4});`);
  }

  private site({ root, source }: Access): number {
    const space = root.kind === 'binding' ? 'storage' : root.kind === 'workgroup' ? 'workgroup' : 'private';
    const { name, at } = source ?? { name: 'a value', at: { line: 0, column: 0 } };
    const key = `${space} ${name} ${at.line}:${at.column}`;
    const known = this.siteNumbers.get(key);
    if (known !== undefined) return known;
    const made = this.sites.push({ name, at, space }) - 1;
    this.siteNumbers.set(key, made);
    return made;
  }
}

/** What an atomic operation leaves in memory; `old` is what was there. */
const atomics: Readonly<Record<string, (place: string, old: string, a: string, b: string) => string>> = {
  atomicLoad: () => '',
  atomicStore: (place, _, a) => `${place} = ${a};`,
  atomicAdd: (place, old, a) => `${place} = ${old} + ${a};`,
  atomicSub: (place, old, a) => `${place} = ${old} - ${a};`,
  atomicAnd: (place, old, a) => `${place} = ${old} & ${a};`,
  atomicOr: (place, old, a) => `${place} = ${old} | ${a};`,
  atomicXor: (place, old, a) => `${place} = ${old} ^ ${a};`,
  atomicExchange: (place, _, a) => `${place} = ${a};`,
  'atomicMin s': (place, old, a) => `if (${a} < ${old}) ${place} = ${a};`,
  'atomicMin u': (place, old, a) => `if (${a} >>> 0 < ${old} >>> 0) ${place} = ${a};`,
  'atomicMax s': (place, old, a) => `if (${a} > ${old}) ${place} = ${a};`,
  'atomicMax u': (place, old, a) => `if (${a} >>> 0 > ${old} >>> 0) ${place} = ${a};`,
  atomicCompareExchangeWeak: (place, old, a, b) => `if (${old} === ${a}) ${place} = ${b};`,
};

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '(-Infinity)';
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : `${value}`;
}
