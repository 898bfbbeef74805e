// What a queue draws with.
import type { Pipeline } from '@paris/sampler';
import type { ServeOptions } from '../options.js';

/** A model, and perhaps a weaker one to lead away from, on one device. */
export interface Model {
  readonly pipeline: Pipeline;
  readonly weaker: Pipeline | undefined;
  close(): Promise<void>;
}

/** Loads both, and draws a picture in one step with both, which shows whether they go together. @throws what loading and drawing throw */
export async function openModel({ open, openWeaker }: Pick<ServeOptions, 'open' | 'openWeaker'>): Promise<Model> {
  const pipeline = await open();
  let weaker: Pipeline | undefined;
  const close = async () => {
    await weaker?.close();
    await pipeline.close();
  };
  try {
    weaker = await openWeaker?.(pipeline.device);
    if (weaker) await pipeline.generate({ steps: 1, autoguidance: { weaker, scale: 2 } });
    return { pipeline, weaker, close };
  } catch (error) {
    await close();
    throw error;
  }
}
