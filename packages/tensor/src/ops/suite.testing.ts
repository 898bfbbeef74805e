// The checks of one family of ops: each through checkOp, and a last one that f16 was compared at all.
import { type CheckOptions, type CheckReport, checkOp } from '../testing/check-op/check-op.js';
import { elementwiseSamples, type OpFixture } from '../testing/samples.js';
import { declareSuite, type SuiteCase } from '../testing/suite.js';

type Checked = Parameters<typeof checkOp>[0];
type Options = Omit<CheckOptions, 'device' | 'fixture'>;
/** A fixture's name, or why there is none. */
type Source = string | { readonly none: string };

export interface OpSuite {
  /** Checks an op on its fixture and on `samples`. */
  check(op: Checked, source: Source, options?: Options): void;
  /** The same, with the samples of an elementwise op: odd sizes, empty, broadcasting. */
  elementwise(op: Checked, fixture: string, options?: Omit<Options, 'samples'>): void;
}

export function opSuite(family: string, define: (ops: OpSuite) => void): void {
  const cases: SuiteCase[] = [];
  const reports: { report: CheckReport; half: boolean }[] = [];
  const add = (op: Checked, source: Source, options: (fixture: CheckOptions['fixture']) => Options) => {
    const name = typeof source === 'string' ? source : (op.op?.name ?? op.name);
    const run: SuiteCase['run'] = async ({ device, fixture: read, brief }) => {
      const fixture = typeof source === 'string' ? read<OpFixture>(`ops/${source}`) : source;
      const given = options(fixture);
      const samples = brief ? few(given.samples) : given.samples;
      const report = await checkOp(op, { ...given, ...(samples ? { samples } : {}), device, fixture });
      reports.push({ report, half: !(given.half && 'none' in given.half) });
      return { compared: Object.values(report.compared).reduce((a, b) => a + b, 0) };
    };
    cases.push({ name, run });
  };
  define({
    check: (op, source, options = {}) => add(op, source, () => options),
    elementwise: (op, name, options) =>
      add(op, name, (fixture) => ({ ...options, samples: elementwiseSamples((fixture as OpFixture).samples) })),
  });
  const half: SuiteCase = {
    name: 'compared f16 wherever an op has it',
    async run({ device }) {
      if (!device.hasFeature('shader-f16')) return { lacks: 'f16', reason: 'the adapter has no shader-f16' };
      const without = reports.filter(({ report, half }) => half && report.compared.half === 0);
      if (without.length === 0) return { compared: reports.length };
      throw new Error(`f16 was not compared in ${without.map(({ report }) => report.op).join(', ')}.`);
    },
  };
  declareSuite({ name: family, cases: [...cases, half] });
}

/** The first, the middle and the last sample. */
function few<T>(samples: readonly T[] | undefined): readonly T[] | undefined {
  return samples?.filter((_, i) => i === 0 || i === samples.length >> 1 || i === samples.length - 1);
}
