// What a request says in addition to its fields: its type, its JSON or form, and the pictures in it.
import { ApiError, invalid } from './errors.js';
import type { Asked } from './images.js';
import { decodeUpload, maskOf } from './upload.js';

/** @throws ApiError 415 for a body of another type */
export function requireType(request: Request, wanted: string): void {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== wanted) throw new ApiError(415, `Send it as ${wanted}.`, { code: 'unsupported_media_type' });
}

/** @throws ApiError 400 for what is no JSON */
export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ApiError(400, 'The body is no JSON.', { code: 'invalid_json' });
  }
}

/** @throws ApiError 400 for what is no form */
export async function formOf(request: Request, body: Uint8Array<ArrayBuffer>): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': request.headers.get('content-type')! } }).formData();
  } catch {
    throw new ApiError(400, 'The body is no form.', { code: 'invalid_form' });
  }
}

/**
 * A picture, and what of it is drawn again: what a mask says, else what of the picture is transparent, else all.
 * @throws ApiError 400 that names the field
 */
export async function editOf(
  form: FormData,
  fields: Asked['fields'],
  size: { width: number; height: number },
): Promise<Asked> {
  const files = [...form.getAll('image'), ...form.getAll('image[]')].filter((each) => typeof each !== 'string');
  if (files.length !== 1) throw invalid('image', `image: there are ${files.length} files. Send one PNG.`);
  const upload = await decodeUpload('image', new Uint8Array(await files[0]!.arrayBuffer()), size);
  const [given, ...others] = form.getAll('mask');
  if (others.length > 0) throw invalid('mask', `mask: there are ${others.length + 1} files. Send one PNG, or none.`);
  if (typeof given === 'string') throw invalid('mask', 'mask is no file. Send a PNG.');
  const painted = given
    ? await decodeUpload('mask', new Uint8Array(await given.arrayBuffer()), size)
    : upload.alpha && upload;
  const mask = painted && maskOf(painted);
  if (mask && !mask.data.includes(255))
    throw invalid('mask', 'mask has nothing that is transparent or white: nothing would be drawn.');
  return { kind: 'image_edit', fields, image: upload.image, ...(mask && { mask }) };
}
