/** The longest that a timer waits, 24 days: told to wait longer, it does not wait at all. */
export const mostMs: number = 2 ** 31 - 1;
