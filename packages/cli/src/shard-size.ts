// --shard-size, as all commands that write records have it.
import { Option } from 'commander';
import { number } from './option-values.js';

/** MiB in the flags; {@link shardBytes} of it is what the library takes. */
export function shardSizeOption(): Option {
  const what = 'size of one file of records at most; as much of them is in memory';
  return new Option('--shard-size <MiB>', what).argParser(number({ min: 0.01 })).default(64);
}

export function shardBytes(shardSize: number): number {
  return Math.floor(shardSize * 2 ** 20);
}
