// Each exit code, caused: by real commands where a command can be brought to it.
import { mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as clustering from '@paris/clustering';
import { dit } from '@paris/dit';
import * as files from '@paris/files';
import { nodeStore } from '@paris/files/node';
import * as tensor from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import * as trainer from '@paris/trainer';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { readCluster, writeCluster } from '../../trainer/src/data/files.js';
import { toySize, toyTraining, writeToyData } from '../../trainer/src/testing/toy.js';
import { EXIT, exitCodeOf, exitCodesHelp } from './exit-code.js';
import * as cli from './index.js';
import { type ParisOptions, paris } from './testing/paris.js';
import { parisHere } from './testing/paris-here.js';

const quickstart = fileURLToPath(new URL('../../../examples/quickstart/model', import.meta.url));
let folder: string;
let works = false;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-exit-'));
  await writeToyData(nodeStore(at('data')));
  works = await tensor.openDevice().then(
    (device) => device.close().then(() => true),
    () => false,
  );
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const tiny = ['--width', '16', '--depth', '1', '--heads', '2', '--batch', '4', '--checkpoint-every', '2'];

/** Trains an expert of the toy data, with the options added to `how`. */
async function train(runs: string, how: readonly string[], options?: ParisOptions) {
  const args = ['train', 'expert', at('data'), '--cluster', '1', '--out', at(runs), ...tiny, '--json', ...how];
  const { code, stderr } = await (options ? paris(args, options) : parisHere(args));
  return { code, stderr };
}

describe('paris train expert ends with', () => {
  const onDevice = (context: TestContext) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');

  it('0 when it is done, and 78 for other options than its run has', async (context) => {
    onDevice(context);
    expect(await train('done', ['--steps', '2'])).toMatchObject({ code: 0 });
    expect(await train('done', ['--steps', '3'])).toMatchObject({ code: 78, stderr: expect.stringContaining('steps') });
  });

  it('1 for a bug, here of a module that the user named', async (context) => {
    onDevice(context);
    const module = 'export default { architecture: "mine", fromConfig() { return undefined.oops; } };';
    await writeFile(at('mine.mjs'), module);
    expect(await train('bug', ['--expert', at('mine.mjs')])).toMatchObject({ code: 1 });
  });

  it('2 where it is called wrongly', async (context) => {
    expect(await train('usage', ['--steps', 'many'])).toMatchObject({ code: 2 });
    onDevice(context);
    expect(await train('usage', ['--sample-prompt', 'cat'])).toMatchObject({ code: 2 });
  });

  it('65 for damaged data', async (context) => {
    onDevice(context);
    await writeToyData(nodeStore(at('damaged')));
    await truncate(at('damaged/clusters/01/images.safetensors'), 100);
    const { code } = await parisHere(['train', 'expert', at('damaged'), '--cluster', '1', '--out', at('r65'), ...tiny]);
    expect(code).toBe(65);
  });

  it('65 with a checkpoint where more is damaged than may be lost, and 0 where less is', async (context) => {
    onDevice(context);
    const data = nodeStore(at('shards'));
    await writeToyData(data);
    const { manifest, rows } = await readCluster(data, 1);
    await data.remove('clusters/01/images.safetensors');
    await writeCluster(data, manifest, rows, { shardBytes: 300 }); // a picture in a file
    const run = (...how: string[]) =>
      parisHere([
        'train',
        'expert',
        at('shards'),
        '--cluster',
        '1',
        '--out',
        at('lossy'),
        ...tiny,
        '--steps',
        '6',
        ...how,
      ]);
    // What comes in the third step, and not before.
    const drawer = new trainer.BatchDrawer(trainer.runKey(0, 1), { count: 12, batchSize: 4, conditionDropout: 0.1 });
    const file = `clusters/01/images-${String(drawer.draw(2).indices[0]).padStart(5, '0')}.safetensors`;
    await truncate(at(`shards/${file}`), 100);
    const stopped = await run();
    expect(stopped).toMatchObject({ code: 65, stderr: expect.stringContaining(`${file} has 100 bytes`) });
    expect(stopped.stderr).toContain('1 of 12 pictures (8.3 %) would be lost, and 1 % may be');
    expect(await nodeStore(at('lossy')).list('expert-01/checkpoints')).toEqual([
      'expert-01/checkpoints/00000002.safetensors',
    ]);
    const ended = await run('--max-lost', '0.1', '--json');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('(1 of 12 pictures (8.3 %) are lost; 10 % may be)');
    await truncate(at('shards/clusters/01/items-00000.jsonl'), 10); // what is said of pictures is not left out
    const how = ['--cluster', '1', '--out', at('unsaid'), ...tiny, '--max-lost', '0.5'];
    const refused = await parisHere(['train', 'expert', at('shards'), ...how]);
    expect(refused).toMatchObject({ code: 65, stderr: expect.stringContaining('items-00000.jsonl has 10 bytes') });
  });

  it('70 when it diverges', async (context) => {
    onDevice(context);
    const wild = ['--steps', '50', '--learning-rate', '1e38', '--warmup', '0', '--clip', '0'];
    expect(await train('wild', wild)).toMatchObject({ code: 70 });
  });

  it('143 when it was asked to end, and resumes', async (context) => {
    onDevice(context);
    const long = ['--steps', '1500', '--checkpoint-every', '500'];
    let asked = false;
    const stopped = await train('stopped', long, {
      onEvent: (event, child) => {
        if (asked || event.type !== 'progress') return;
        asked = true;
        child.kill('SIGTERM');
      },
    });
    expect(stopped).toMatchObject({ code: 143, stderr: expect.stringContaining('run the same command to resume') });
    expect(await train('stopped', long)).toMatchObject({ code: 0 });
  });

  it('75 while another process works in its folder', async (context) => {
    onDevice(context);
    const lock = await nodeStore(at('locked')).lock('expert-01');
    expect(await train('locked', ['--steps', '2'])).toMatchObject({ code: 75 });
    await lock.release();
    expect(await train('locked', ['--steps', '2'])).toMatchObject({ code: 0 });
  });

  it('78 for a config that cannot work', async () => {
    await writeFile(at('bad.yaml'), 'stepps: 3');
    expect(await train('config', ['--config', at('bad.yaml')])).toMatchObject({ code: 78 });
  });
});

it('sample ends with 75 where the server of its model is away or busy, 65 where it has none, 78 where it refuses', async (context) => {
  requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
  const codeFor = async (url: string) =>
    (await parisHere(['sample', url, '--prompt', 'cat', '--out', at('x.png')])).code;
  const busy = createServer((request, response) => {
    response.statusCode = Number(request.url!.split('/')[1]);
    response.end();
  });
  const port = await new Promise<number>((resolve) => {
    busy.listen(0, '127.0.0.1', () => resolve((busy.address() as { port: number }).port));
  });
  for (const [status, code] of [
    [503, 75],
    [404, 65],
    [403, 78],
  ] as const) {
    expect(await codeFor(`http://127.0.0.1:${port}/${status}`), String(status)).toBe(code);
  }
  await new Promise((resolve) => busy.close(resolve));
  expect(await codeFor(`http://127.0.0.1:${port}/gone`)).toBe(75);
}, 120_000);

describe('a full disk is worth another try', () => {
  const onLinux = (context: TestContext) =>
    requireCapability(context, 'proc', process.platform === 'linux', 'there is no /dev/full here');

  it('for sample, which keeps its picture elsewhere', async (context) => {
    onLinux(context);
    requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
    await symlink('/dev/full', at('full.png'));
    const args = ['sample', quickstart, '--prompt', 'cat', '--steps', '1', '--count', '1', '--out', at('full.png')];
    const { code, stderr } = await paris(args);
    expect({ code, stderr }).toMatchObject({ code: 75, stderr: expect.stringMatching(/ENOSPC.*it is in .* instead/) });
  });

  it('for what a command prints, the last line too', async (context) => {
    onLinux(context);
    const wrapper = ['sh', '-c', 'exec "$0" "$@" > /dev/full'];
    for (const args of [
      ['info', 'dit-xl-2'],
      ['--help'],
      ['train', 'expert', at('data'), '--cluster', '0', '--print-config'],
    ]) {
      const { code, stderr } = await paris(args, { wrapper });
      expect({ code, stderr }, args.join(' ')).toMatchObject({ code: 75, stderr: expect.stringContaining('ENOSPC') });
    }
  });

  it('for a training, which resumes', async (context) => {
    onLinux(context);
    requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
    await using device = await tensor.openDevice();
    const runs = nodeStore(at('filling'));
    await runs.write('note', new Uint8Array(1));
    await symlink('/dev/full', at('filling/full'));
    let isFull = false; // once the first checkpoint is written
    const filling: files.FileStore = {
      ...runs,
      append: (path, text) => runs.append(isFull ? 'full' : path, text),
      write: async (path, content) => {
        await runs.write(path, content);
        isFull ||= path.includes('checkpoints/');
      },
    };
    const options = {
      ...{ device, data: nodeStore(at('data')), cluster: 1, architecture: dit, config: trainer.ditConfig(toySize) },
      ...{ training: { ...toyTraining, steps: 8 }, checkpointEvery: 2 },
    };
    const failed = await trainer.trainExpert({ ...options, runs: filling }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('ENOSPC') });
    expect(exitCodeOf(failed)).toBe(75);
    const starts: number[] = [];
    const onEvent = (event: trainer.TrainEvent) => event.type === 'start' && starts.push(event.step);
    await trainer.trainExpert({ ...options, runs, onEvent });
    expect(starts).toEqual([2]);
  });
});

it('a training whose device is lost is worth another try', async (context) => {
  requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
  const device = await tensor.openDevice();
  device.gpu.destroy();
  const failed = await device
    .tensor([1])
    .add(1)
    .read()
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(tensor.DeviceLostError);
  expect(exitCodeOf(failed)).toBe(75);
});

it('every error of Paris has a code; these are bugs', () => {
  const classes = [files, tensor, trainer, clustering, cli].flatMap((module) =>
    Object.values(module).filter(
      (each): each is typeof files.ParisError =>
        typeof each === 'function' && (each === files.ParisError || each.prototype instanceof files.ParisError),
    ),
  );
  expect(new Set(classes).size).toBeGreaterThan(20);
  const stops: unknown[] = [trainer.InterruptedError];
  const others = [...new Set(classes)].filter((each) => !stops.includes(each));
  const bugs = others.filter((each) => exitCodeOf(new each('test', 'message')) === EXIT.failed);
  expect(bugs.map(({ name }) => name).sort()).toMatchInlineSnapshot(`
    [
      "DTypeError",
      "DisposedTensorError",
      "DonatedTensorError",
      "IndexError",
      "KernelError",
      "NonFiniteError",
      "ParisError",
      "ShapeError",
      "StaleTraceError",
      "TraceError",
    ]
  `);
});

it('errors of the system are passing ones, or of the machine; all others are bugs', () => {
  const system = (code: string) => Object.assign(new Error(code), { code, syscall: 'open' });
  expect(['ENOSPC', 'EMFILE', 'EACCES', 'ENOENT'].map((code) => exitCodeOf(system(code)))).toEqual([75, 75, 78, 78]);
  expect([new TypeError('x'), 'text', undefined].map(exitCodeOf)).toEqual([1, 1, 1]);
});

it('the help and the README list the same codes', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const numbers = (text: string) => text.match(/\d+/g)!.map(Number);
  const inHelp = [...exitCodesHelp.matchAll(/^ {2}(\d+(?:, \d+)*) {2}/gm)].flatMap(([, codes]) => numbers(codes!));
  const table = readme.slice(readme.indexOf('| exit code |'));
  const inTable = [...table.matchAll(/^\| (\d+(?:, \d+)*) \|/gm)].flatMap(([, codes]) => numbers(codes!));
  const all = [0, ...Object.values(EXIT)].sort((a, b) => a - b);
  expect(inHelp.sort((a, b) => a - b)).toEqual(all);
  expect(inTable.sort((a, b) => a - b)).toEqual(all);
});
