// How many threads a process may have: those of the machine, or what its control group allows.
import { expect, it } from 'vitest';
import { type NodeModules, nativeProcessors } from './host.native.js';

function processors(available: number, files: Readonly<Record<string, string>>): number {
  const readFileSync = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
  return nativeProcessors({
    os: { availableParallelism: () => available },
    fs: { readFileSync },
  } as unknown as NodeModules);
}

it.each([
  ['without a control group, those of the machine', 8, {}, 8],
  ['without a limit, those of the machine', 8, { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  ['a part of a processor counts as one', 8, { '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 1],
  ['two and a half are three', 8, { '/sys/fs/cgroup/cpu.max': '250000 100000\n' }, 3],
  ['a limit over the machine is none', 2, { '/sys/fs/cgroup/cpu.max': '800000 100000\n' }, 2],
  [
    'of version 1',
    8,
    { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
    2,
  ],
  [
    'of version 1, without a limit',
    8,
    { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
    8,
  ],
])('%s', (_, available, files, expected) => {
  expect(processors(available, files)).toBe(expected);
});
