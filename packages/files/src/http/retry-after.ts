/** How long a server asks to be left alone, by `Retry-After` in seconds or as a date (RFC 9110, §10.2.3), in milliseconds. */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  // A date is one of the server's clock, which its answer has, too; this machine's may be another.
  const now = Date.parse(headers.get('date') ?? '');
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - (Number.isNaN(now) ? Date.now() : now);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
