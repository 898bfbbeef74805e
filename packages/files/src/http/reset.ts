// Connections that were there, and went. A file of its own: pages that download later load no more than this.

const resets: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'];

/** Whether a connection was there, and went. */
export function isReset(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (resets.includes((cause as { code?: unknown }).code)) return true;
  }
  return false;
}
