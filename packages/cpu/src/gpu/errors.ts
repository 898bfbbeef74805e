// WebGPU's errors. Where the platform has the classes itself, they are used, so that `instanceof` holds for programs.

export type FaultKind = 'validation' | 'out-of-memory' | 'internal';

/** A condition of the specification that does not hold. It becomes a GPUError at the device, or defers to finish(). */
export class Fault extends Error {
  constructor(
    readonly kind: FaultKind,
    message: string,
  ) {
    super(message);
  }
}

export function invalid(message: string): never {
  throw new Fault('validation', message);
}

/** Throws a validation fault unless the condition holds. The message is made only then: most calls are valid. */
export function check(condition: unknown, message: () => string): asserts condition {
  if (!condition) invalid(message());
}

class OwnError {
  constructor(readonly message: string) {}
}
class OwnValidationError extends OwnError {
  static override readonly name = 'GPUValidationError';
}
class OwnOutOfMemoryError extends OwnError {
  static override readonly name = 'GPUOutOfMemoryError';
}
class OwnInternalError extends OwnError {
  static override readonly name = 'GPUInternalError';
}

class OwnPipelineError extends DOMException {
  static override readonly name = 'GPUPipelineError';
  readonly reason: GPUPipelineErrorReason;
  constructor(message: string, options: { reason: GPUPipelineErrorReason }) {
    super(message, 'GPUPipelineError');
    this.reason = options.reason;
  }
}

class OwnUncapturedErrorEvent extends Event {
  static override readonly name = 'GPUUncapturedErrorEvent';
  readonly error: GPUError;
  constructor(type: string, init: EventInit & { error: GPUError }) {
    super(type, init);
    this.error = init.error;
  }
}

/** The platform's class of this name, else ours. */
function native<T>(name: string, own: unknown): T {
  return ((globalThis as Record<string, unknown>)[name] ?? own) as T;
}

type ErrorClass = new (message: string) => GPUError;

export const GpuError: ErrorClass = native('GPUError', OwnError);

export const errorClasses: Readonly<Record<FaultKind, ErrorClass>> = {
  validation: native('GPUValidationError', OwnValidationError),
  'out-of-memory': native('GPUOutOfMemoryError', OwnOutOfMemoryError),
  internal: native('GPUInternalError', OwnInternalError),
};

export const PipelineError: new (message: string, options: { reason: GPUPipelineErrorReason }) => GPUPipelineError =
  native('GPUPipelineError', OwnPipelineError);

export const UncapturedErrorEvent: new (
  type: string,
  init: EventInit & { error: GPUError },
) => GPUUncapturedErrorEvent = native('GPUUncapturedErrorEvent', OwnUncapturedErrorEvent);
