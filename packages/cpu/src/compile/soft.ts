// Shapes that hold for most groups of four lanes though not for all, each with a test on scalars: consecutive numbers stay
// consecutive under min(x, n), x % n, x * n with n = 1; x / n and comparisons are then the same in all lanes.
import type { Shape } from './divergence.js';
import type { Value } from './ir.js';
import type { LanesMode } from './lanes.js';
import { inLanes } from './shapes.js';

interface Guess {
  readonly shape: Shape;
  readonly test: Value;
}

/** What is so in the first and the last of consecutive numbers is so in those between. */
const comparison = /^i32\.(lt|le|gt|ge)_/;

export class SoftShapes {
  private readonly memo = new Map<Value, Shape>();
  private readonly guesses = new Map<Value, Guess>();
  /** What a version assumes, and the tests of it. */
  readonly assumed = new Map<Value, Shape>();
  readonly tests = new Set<Value>();

  constructor(
    private readonly mode: LanesMode,
    /** Whether a value is known before the version begins. */
    private readonly before: (value: Value) => boolean,
  ) {}

  shape(value: Value): Shape {
    const alias = this.mode.aliases.get(value);
    if (alias) return this.shape(alias);
    const known = this.mode.shape(value);
    if (known !== undefined || value.op === 'phi' || value.pinned) return known;
    if (this.memo.has(value)) return this.memo.get(value);
    let shape = inLanes(value, (arg) => this.shape(arg));
    if (shape === undefined) {
      const guess = this.before(value) ? this.guess(value) : undefined;
      if (guess) this.guesses.set(value, guess);
      shape = guess?.shape;
    }
    this.memo.set(value, shape);
    return shape;
  }

  /** Assumes all that a value's shape rests on. */
  assume(value: Value): void {
    const alias = this.mode.aliases.get(value);
    if (alias) {
      this.assume(alias);
      return;
    }
    if (this.mode.shape(value) !== undefined || this.shape(value) === undefined) return;
    const guess = this.guesses.get(value);
    if (guess && !this.assumed.has(value)) {
      this.assumed.set(value, guess.shape);
      this.tests.add(guess.test);
    }
    for (const arg of value.args) this.assume(arg);
  }

  private guess({ op, args }: Value): Guess | undefined {
    const { g } = this.mode;
    const [a, b] = args as [Value, Value];
    if (args.length !== 2 || a.kind !== 'i32') return undefined;
    const shapes = [this.shape(a), this.shape(b)];
    const at = shapes.indexOf(1);
    if (at < 0 || shapes[1 - at] !== 0) return undefined;
    const moving = this.mode.scalar(at ? b : a);
    const fixed = this.mode.scalar(at ? a : b);
    const last = g.int('add', moving, 3);
    const signed = op.endsWith('_s');
    const noWrap = g.test(signed ? 'lt_s' : 'lt_u', moving, signed ? 0x7ffffffd : -3);
    const of = (x: Value, name = op, kind: Value['kind'] = 'i32') => g.op(name, kind, at ? [fixed, x] : [x, fixed]);
    const same = (name: string, kind: Value['kind']) =>
      g.and(noWrap, g.test('eq', of(moving, name, kind), of(last, name, kind)));
    if (op === 'i32.min_u') return { shape: 1, test: g.and(noWrap, g.test('le_u', last, fixed)) };
    if (op === 'i32.min_s') return { shape: 1, test: g.and(noWrap, g.test('le_s', last, fixed)) };
    if (op === 'i32.mul') return { shape: 1, test: g.test('eq', fixed, 1) };
    if (op === 'i32.eq' || op === 'i32.ne') {
      const distance = g.int('sub', fixed, moving);
      return { shape: 0, test: g.test('gt_u', distance, 3) };
    }
    if (comparison.test(op)) return { shape: 0, test: same(op, 'bool') };
    // The divisor is never zero here: division by zero was taken care of (operators.ts).
    if (op === 'i32.div_u' && at === 0) return { shape: 0, test: same(op, 'i32') };
    if (op === 'i32.rem_u' && at === 0) return { shape: 1, test: same('i32.div_u', 'i32') };
    return undefined;
  }
}
