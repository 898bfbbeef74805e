// Errors of the demo: one sentence each, `[demo] what, got, fix.`

/** Something the person at the keyboard can mend. The message is the whole story; no stack is shown. */
export class DemoError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`[demo] ${message}`, options);
    this.name = 'DemoError';
  }
}
