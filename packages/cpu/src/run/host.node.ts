// Workers and processors under Node, Deno and Bun. Chosen by the package import `#host`.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as threads from 'node:worker_threads';
import type { KernelStore } from '../gpu/known-kernels.js';
import type { Thread, ThreadEvents } from './host.js';
import { type NodeModules, nativePort, nativeProcessors, startNative } from './host.native.js';
import { KernelFolder, kernelsPath } from './kernel-folder.js';

const modules: NodeModules = { threads, os, fs };

/** Nothing is to be loaded here. */
export async function prepareHost(): Promise<void> {}

export function portSource(): string {
  return nativePort;
}

export function startThread(source: string, name: string, events: ThreadEvents): Thread {
  return startNative(modules, source, name, events);
}

export function kernelStore(fingerprint: string): KernelStore | undefined {
  const path = kernelsPath();
  return path === undefined ? undefined : new KernelFolder(path, fingerprint);
}

export function processors(): number {
  return nativeProcessors(modules);
}
