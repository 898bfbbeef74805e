import { doctor } from '@paris/tensor/node';
import type { FamilyResult, KernelFamily, SelfTestReport } from '@paris/tensor/testing';
import { Command } from 'commander';
import { checkContainer, formatContainer } from '../container/check.js';
import { type GpuContext, type GpuFlags, gpuOptions, onGpu } from '../gpu.js';
import { printText } from '../print.js';
import { createReporter } from '../reporter.js';

interface Flags extends GpuFlags {
  selfTest?: boolean;
  container?: boolean;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('say which WebGPU adapters were tried, why each failed, and which one is taken')
    .option('--self-test', 'run every family of kernels on the adapter and compare the results with those of the CPU')
    .option(
      '--container',
      'say which of loader, manifest, driver library, device node and capability a container lacks, and the line that adds it',
    )
    .addHelpText(
      'after',
      '\nExample:\n  paris doctor\n  paris doctor --container\n  paris doctor --self-test --json > report.json',
    );
  return gpuOptions(command).action(async (flags: Flags) => {
    if (flags.selfTest) {
      await onGpu(flags, (context) => testAdapter(context, flags.json === true));
      return;
    }
    if (flags.container) {
      const findings = await checkContainer();
      if (flags.json) createReporter(true).result(findings);
      else printText(formatContainer(findings));
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
      return;
    }
    const { text, ...found } = await doctor(flags);
    if (flags.json) createReporter(true).result(found);
    else printText(text);
    process.exitCode = found.taken ? 0 : 1;
  });
}

/** One line a family, or (with `--json`) a report; 1 if a family failed. */
export async function testAdapter(
  { device, reporter, signal }: Pick<GpuContext, 'device' | 'reporter' | 'signal'>,
  json: boolean,
  families?: readonly KernelFamily[],
): Promise<number> {
  const { selfTest } = await import('@paris/tensor/testing');
  const report = await selfTest(device, {
    signal,
    ...(families && { families }),
    onResult: (result) => {
      reporter.alive();
      if (!json) printText(familyLine(result));
    },
  });
  if (json) reporter.result(report);
  else printText(verdict(report));
  return report.ok ? 0 : 1;
}

/** `ok      product 35 × 19 × 67, largest error 4.2e-7 of 2.5e-5` */
function familyLine({ name, ok, skipped, largestError, bound, worst }: FamilyResult): string {
  if (skipped) return `skipped ${name}: ${skipped}`;
  const error =
    largestError === null ? '' : `, largest error ${largestError.toExponential(1)} of ${bound.toExponential(1)}`;
  return `${ok ? 'ok     ' : 'FAILED '} ${name}${error}${ok || worst === undefined ? '' : `: ${worst}`}`;
}

function verdict({ families, device }: SelfTestReport): string {
  const failed = families.filter(({ ok }) => !ok).length;
  if (failed === 0) return `All ${families.length} families of kernels agree with the CPU on ${device.adapter}.`;
  return `${failed} of ${families.length} families of kernels are wrong on ${device.adapter}. Please report it with the output of \`paris doctor --self-test --json\`.`;
}
