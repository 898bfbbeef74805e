// Errors in the form of OpenAI's API.
import { ParisError } from '@paris/tensor';

/** An answer that is an error: `{ error: { message, type, param, code } }`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: { readonly code: string; readonly param?: string; readonly retryAfterSeconds?: number },
  ) {
    super(message);
  }

  /** As a response. */
  toResponse(): Response {
    const { code, retryAfterSeconds } = this.details;
    return Response.json(this.body(), {
      status: this.status,
      headers: {
        ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
        ...(code === 'invalid_api_key' && { 'www-authenticate': 'Bearer' }),
      },
    });
  }

  /** As JSON. */
  body(): { error: { message: string; type: string; param: string | null; code: string } } {
    const { code, param = null } = this.details;
    const type = this.status >= 500 ? 'server_error' : (types[this.status] ?? 'invalid_request_error');
    return { error: { message: this.message, type, param, code } };
  }
}

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** 400, with the parameter's name. */
export function invalid(param: string, message: string): ApiError {
  return new ApiError(400, message, { code: 'invalid_value', param });
}

/** 499: the client has gone, and hears of nothing. The log does. */
export function clientLeft(): ApiError {
  return new ApiError(499, 'The client closed the request.', { code: 'client_closed_request' });
}

/** What went wrong, as an answer. Nothing of what is unforeseen is shown. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ParisError) {
    if (error.code === 'DEVICE_LOST') {
      const message = 'The device was lost while it drew. The server opens a new one; send the request again.';
      return new ApiError(503, message, { code: 'device_lost', retryAfterSeconds: 5 });
    }
    if (error.code === 'OUT_OF_MEMORY') {
      const message = 'The device has too little memory for this request. Ask for fewer pictures.';
      return new ApiError(503, message, { code: 'out_of_memory', retryAfterSeconds: 5 });
    }
    if (error.code === 'VALUE') return invalidOption(error);
  }
  return new ApiError(500, 'The server failed. Its operator can see why.', { code: 'internal_error' });
}

/** What `generate` refuses, with its option's name as requests have it. */
function invalidOption({ tag, message: whole }: ParisError): ApiError {
  const message = whole.replace(/^\[[^\]]*\] /, '');
  const [option = ''] = /^\w+/.exec(message) ?? [];
  const field = fields.get(option);
  const param = field ?? fields.get(tag);
  return new ApiError(400, field === undefined ? message : field + message.slice(option.length), {
    code: 'invalid_value',
    ...(param !== undefined && { param }),
  });
}

/** Fields by the option that a message begins with, or by the tag of the error: policies are named in it. */
const fields = new Map([
  ...[
    'guidance',
    'autoguidance',
    'strength',
    'mask',
    'image',
    'steps',
    'seed',
    'schedule',
    'sampler',
    'shift',
    'variation',
    'routing',
  ].map((name) => [name, name] as const),
  ...['label', 'labels', 'prompt', 'prompts'].map((name) => [name, 'prompt'] as const),
  ['negativePrompt', 'negative_prompt'],
  ...['top', 'threshold', 'nucleus', 'sample', 'tempered', 'among', 'full'].map((name) => [name, 'routing'] as const),
]);
