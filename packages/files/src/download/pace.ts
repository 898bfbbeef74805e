// How long a download will still take.

const windowMs = 10_000;
const leastMs = 2_000;

/** Seconds that are left. Undefined where that would be a guess: in the first two seconds, and when nothing arrives. */
export type TimeLeft = (loadedBytes: number, totalBytes: number) => number | undefined;

/** Estimates from the bytes of the last ten seconds. @param now - milliseconds */
export function timeLeft(now: () => number = () => performance.now()): TimeLeft {
  const seen: { at: number; loadedBytes: number }[] = [];
  return (loadedBytes, totalBytes) => {
    const at = now();
    seen.push({ at, loadedBytes });
    while (seen.length > 2 && at - seen[1]!.at > windowMs) seen.shift();
    const [first] = seen;
    const arrived = loadedBytes - first!.loadedBytes;
    if (at - first!.at < leastMs || arrived <= 0) return undefined;
    return ((totalBytes - loadedBytes) * (at - first!.at)) / arrived / 1000;
  };
}
