// Who takes part, and their processes.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { adapterEnvironment, chooseAdapter } from '@paris/tensor/node';
import { ALONE, OURS, PEERS } from './names.js';

const ANSWER_TIMEOUT_MS = 600_000;

/**
 * On the CPU everybody computes on the backend that is their own: the peers on WebAssembly. Other adapters in software run
 * ours, for comparison. Elsewhere all of them share the adapter, through WebGPU.
 */
export async function contendersOn(adapter) {
  const environment = adapterEnvironment(adapter);
  if (adapter.kind !== 'cpu') {
    return [OURS, ...PEERS].map((name) => ({ name, module: name, backend: 'webgpu', environment }));
  }
  const ours = { module: 'paris', backend: 'cpu' };
  return [
    { name: OURS, ...ours, environment },
    { name: ALONE, ...ours, environment: { ...environment, PARIS_THREADS: '1' } },
    ...PEERS.map((name) => ({ name, module: name, backend: 'wasm', environment: {} })),
    ...(await driver('lavapipe')),
    // It takes seconds for what is larger.
    ...(await driver('swiftshader', ({ m, n, k }) => m * n * k === 384 ** 3)),
  ];
}

async function driver(name, only) {
  try {
    const adapter = await chooseAdapter({ adapter: name });
    return [{ name, module: 'paris', backend: 'webgpu', environment: adapterEnvironment(adapter), only }];
  } catch {
    return []; // This machine has none.
  }
}

/** A contender's process, which answers one question at a time. */
export async function start({ name, module, backend, environment, only }, caches) {
  const child = fork(new URL('contender.js', import.meta.url), [`./contenders/${module}.js`, backend], {
    stdio: ['ignore', 'ignore', process.env.PARIS_BENCH_VERBOSE ? 'inherit' : 'ignore', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...environment, MESA_SHADER_CACHE_DIR: join(caches, name), PARIS_CACHE: join(caches, name) },
  });
  const contender = { name, takes: only ?? (() => true), stop: () => end('it was stopped') };
  let answered;
  const answer = (message) => {
    answered?.(message);
    answered = undefined;
  };
  const next = () =>
    new Promise((resolve) => {
      const timer = setTimeout(() => end(`no answer in ${ANSWER_TIMEOUT_MS / 1000} s`), ANSWER_TIMEOUT_MS);
      answered = (message) => {
        clearTimeout(timer);
        resolve(message);
      };
    });
  const end = (error) => {
    contender.error ??= error;
    child.kill('SIGKILL');
    answer({ error });
  };
  child.on('message', answer);
  child.on('exit', (code, signal) => end(`its process ended: ${signal ?? code}`));
  contender.ask = (ask, rest) => {
    if (contender.error) return Promise.resolve({ error: contender.error });
    child.send({ ask, ...rest });
    return next();
  };
  const ready = await next();
  contender.error ??= ready.error;
  const hello = await contender.ask('hello');
  contender.version = hello.version;
  return contender;
}
