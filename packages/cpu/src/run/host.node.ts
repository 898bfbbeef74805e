// Workers and processors under Node, Deno and Bun. Chosen by the package import `#host`.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as threads from 'node:worker_threads';
import type { Thread, ThreadEvents } from './host.js';
import { type NodeModules, nativePort, nativeProcessors, startNative } from './host.native.js';

const modules: NodeModules = { threads, os, fs };

export const portSource: string = nativePort;

export function startThread(source: string, name: string, events: ThreadEvents): Thread {
  return startNative(modules, source, name, events);
}

export function processors(): number {
  return nativeProcessors(modules);
}
