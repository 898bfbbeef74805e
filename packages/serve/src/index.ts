/** `@paris/serve`: a routed pipeline behind OpenAI's images API. */
export { defaultLimits, type Limits, type LogEntry, type ServeOptions } from './options.js';
export type { QueueState } from './queue/queue.js';
export { createServer, type ImageServer } from './server.js';
