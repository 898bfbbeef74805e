// Errors of the demo: one sentence each, `[demo] what, got, fix.`

/** An error that the user can fix. Its message is enough; no stack is shown. */
export class DemoError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`[demo] ${message}`, options);
    this.name = 'DemoError';
  }
}
