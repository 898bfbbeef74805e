/**
 * How a picture was made, in its PNG file: `parameters`, as web UIs write and read it, `paris`, the same as JSON, from which it can
 * be drawn again, and XMP with IPTC's mark of pictures that a trained model made.
 */
import { checkJson, parseJson } from '@paris/files';
import * as z from 'zod/mini';
import type { RgbImage } from '../images/image.js';
import type { Made } from '../images/made.js';
import { encodePng } from '../images/png.js';
import { isPng, textOf, withText } from './chunks.js';
import { version } from './version.js';

/** {@link Made} as a file has it: what was no name is `custom`. */
export type MadeRecord = Omit<Made, 'sampler' | 'schedule' | 'routing'> & {
  readonly sampler: string;
  readonly schedule: string;
  readonly routing: string;
  /** Of `@paris/sampler`. */
  readonly version: string;
};

/** The bytes of a PNG file that says how the picture was made, where it knows, and that a model made it. */
export function encodeMadePng(image: RgbImage): Uint8Array {
  const png = encodePng(image);
  if (!image.made) return png;
  const record = recordOf(image.made);
  return withText(png, {
    parameters: parametersOf(record, image),
    paris: JSON.stringify(record),
    'XML:com.adobe.xmp': xmp,
  });
}

/** A PNG file of several pictures with the mark that a model made them. */
export function markPng(png: Uint8Array): Uint8Array {
  return withText(png, { 'XML:com.adobe.xmp': xmp });
}

/** What a PNG file says of how it was made. */
export interface PictureMetadata {
  /** As web UIs write it; ours or another program's. */
  readonly parameters?: string;
  /** Where this library wrote it. */
  readonly made?: MadeRecord;
}

/** @throws CheckpointError if its record is not what this library writes */
export function readPictureMetadata(bytes: Uint8Array): PictureMetadata {
  if (!isPng(bytes)) return {};
  const { parameters, paris } = textOf(bytes);
  return {
    ...(parameters !== undefined && { parameters }),
    ...(paris !== undefined && { made: parsed(paris) }),
  };
}

function recordOf(made: Made): MadeRecord {
  const nameOf = (given: unknown) => (typeof given === 'string' ? given : 'custom');
  const { sampler, schedule, routing } = made;
  return { ...made, sampler: nameOf(sampler), schedule: nameOf(schedule), routing: nameOf(routing), version };
}

/** Three parts, a line each at least: the prompt, the negative prompt, and `name: value` separated by commas. */
function parametersOf(made: MadeRecord, { width, height }: RgbImage): string {
  const { guidance, autoguidance, variation, moves, interpolate } = made;
  const special = Object.entries(guidance).some(([name, value]) =>
    name === 'scale' ? typeof value !== 'number' : value !== usual[name],
  );
  const fields: Record<string, string | number | undefined> = {
    Steps: made.steps,
    Sampler: made.sampler,
    'Schedule type': made.schedule,
    Shift: made.shift,
    'CFG scale': typeof guidance.scale === 'number' ? guidance.scale : undefined, // else in Guidance
    Seed: made.seed,
    Size: `${width}x${height}`,
    'Model hash': made.model.slice(0, 10),
    'Denoising strength': made.strength,
    'Variation seed': variation?.seed,
    'Variation seed strength': variation?.strength,
    Moves: moves && JSON.stringify(moves),
    Routing: made.routing,
    Picture: made.picture || undefined,
    Guidance: special ? JSON.stringify(guidance) : undefined,
    Autoguidance: autoguidance && JSON.stringify(autoguidance),
    Interpolation: interpolate && JSON.stringify(interpolate),
    Version: `Paris ${made.version}`,
  };
  const listed = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${quoted(String(value))}`],
  );
  const negative = made.negativePrompt === '' ? [] : [`Negative prompt: ${made.negativePrompt}`];
  return [made.prompt, ...negative, listed.join(', ')].join('\n');
}

const usual: Readonly<Record<string, unknown>> = { start: 0, stop: 1, rescale: 0, kind: 'cfg' };

/** As web UIs do: quoted where it would end early. */
function quoted(value: string): string {
  return /[,\n:]/.test(value) ? JSON.stringify(value) : value;
}

/** https://cv.iptc.org/newscodes/digitalsourcetype/ */
const xmp = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia" xmp:CreatorTool="Paris ${version}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`;

const whole = z.int().check(z.gte(0));
const share = z.number().check(z.gte(0), z.lte(1));
const place = z.object({ seed: whole, picture: whole });
const move = z.object({ seed: whole, picture: whole, strength: share });
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const schema: z.ZodMiniType<MadeRecord> = z.object({
  prompt: z.string(),
  negativePrompt: z.string(),
  seed: whole,
  picture: whole,
  steps: z.int().check(z.gte(1)),
  sampler: z.string(),
  schedule: z.string(),
  shift: z.optional(z.number().check(z.gt(0))),
  guidance: z.object({
    scale: z.union([z.number(), z.array(z.number())]),
    ...{ start: share, stop: share, rescale: share, kind: z.enum(['cfg', 'apg']) },
  }),
  autoguidance: z.optional(z.object({ scale: z.number(), model: hash })),
  routing: z.string(),
  model: hash,
  strength: z.optional(share),
  image: z.optional(hash),
  mask: z.optional(hash),
  moves: z.optional(z.array(move)),
  variation: z.optional(move),
  interpolate: z.optional(z.object({ prompt: z.optional(z.string()), seed: z.optional(place), amount: share })),
  version: z.string(),
}) as z.ZodMiniType<MadeRecord>;

function parsed(text: string): MadeRecord {
  const origin = { tag: 'readPictureMetadata', path: 'the picture' };
  return checkJson(parseJson(new TextEncoder().encode(text), origin), schema, origin);
}
