// A span of time on the command line.
import { InvalidArgumentError } from 'commander';

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `30s`, `2m`, `1.5h`, `30d`, or a number of seconds → seconds, above 0. */
export function duration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)\s*([smhd])?$/.exec(text.trim()) ?? [];
  const seconds = Number(number) * units[unit as keyof typeof units];
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('It is not a span of time, such as 30s, 2m or 1h.');
}
