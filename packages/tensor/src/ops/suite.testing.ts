// The tests of one family of ops: each through checkOp, on one device, and a last one that f16 was compared at all.
import { readFileSync } from 'node:fs';
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { type CheckOptions, type CheckReport, checkOp } from '../testing/checkOp.js';
import { elementwiseSamples, type OpFixture } from '../testing/samples.js';
import { useDevice } from '../testing/useDevice.testing.js';

type Checked = Parameters<typeof checkOp>[0];
/** A fixture's name, or why there is none. */
type Source = string | { readonly none: string };

/** Kernels compile slowly from a cold shader cache on a busy machine. */
const timeoutMs = 300_000;

export interface OpSuite {
  /** Checks an op on its fixture and on `samples`. */
  check(op: Checked, source: Source, options?: Omit<CheckOptions, 'device' | 'fixture'>): void;
  /** The same, with the samples of an elementwise op: odd sizes, empty, broadcasting. */
  elementwise(op: Checked, fixture: string, options?: Omit<CheckOptions, 'device' | 'fixture' | 'samples'>): void;
}

export function opSuite(family: string, define: (ops: OpSuite) => void): void {
  describe(family, () => {
    const device = useDevice();
    const reports: { report: CheckReport; half: boolean }[] = [];
    const check: OpSuite['check'] = (op, source, options) => {
      const fixture = typeof source === 'string' ? readFixture(source) : source;
      const title = typeof source === 'string' ? source : (op.op?.name ?? op.name);
      it(
        title,
        async (context) => {
          const report = await checkOp(op, { ...options, device: device(context), fixture });
          const none = options?.half && 'none' in options.half;
          reports.push({ report, half: !none });
        },
        timeoutMs,
      );
    };
    define({
      check,
      elementwise: (op, name, options) =>
        check(op, name, { ...options, samples: elementwiseSamples(readFixture(name).samples) }),
    });
    it('compared f16 wherever an op has it', (context) => {
      const has = device(context).hasFeature('shader-f16');
      requireCapability(context, 'f16', has, 'the adapter has no shader-f16');
      const without = reports.filter(({ report, half }) => half && report.compared.half === 0);
      expect(without.map(({ report }) => report.op)).toEqual([]);
    });
  });
}

/** Reads packages/tensor/fixtures/ops/<name>.json. */
export function readFixture(name: string): OpFixture {
  return JSON.parse(readFileSync(new URL(`../../fixtures/ops/${name}.json`, import.meta.url), 'utf8')) as OpFixture;
}
