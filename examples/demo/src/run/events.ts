// The lines that `paris … --json` prints, as far as the demo needs them.

import { z } from 'zod';

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('adapter'), line: z.string() }),
  z.object({ type: z.literal('notice'), message: z.string() }),
  z.object({
    type: z.literal('progress'),
    step: z.number(),
    steps: z.number(),
    loss: z.number().nullish(),
    imagesPerSecond: z.number().nullish(),
    secondsLeft: z.number().nullish(),
  }),
]);
export type ParisEvent = z.infer<typeof eventSchema>;
export type ProgressEvent = Extract<ParisEvent, { type: 'progress' }>;

/** The event on a line, or undefined if the line is something else. */
export function parseEvent(line: string): ParisEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
