// Every family of kernels against the CPU device, as `paris doctor --self-test`.
import { kernelFamilies, selfTest } from '@paris/tensor/testing';

export async function run({ open, note, tiny }) {
  const device = await open();
  const results = [];
  const report = await selfTest(device, {
    families: tiny ? kernelFamilies.slice(0, 2) : kernelFamilies,
    onResult(result) {
      results.push(result);
      note({ families: results, failed: results.filter(({ ok }) => !ok).map(({ name }) => name) });
    },
  });
  note({ ok: report.ok });
  await device.close();
  if (!report.ok) throw new Error('kernels of this adapter are wrong: see families');
}
