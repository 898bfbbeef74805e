// --config and --print-config: values of the file are those of options, the command line wins, and every mistake names its field.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { trainCommand } from '../commands/train.js';
import { reportFailure } from '../failure.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const file = join(folder, 'train.yaml');

/** The options that `paris train expert` would begin with. */
async function optionsOf(args: readonly string[], config?: string, which = 'expert'): Promise<Record<string, unknown>> {
  if (config !== undefined) writeFileSync(file, config);
  let found: Record<string, unknown> = {};
  const train = trainCommand();
  const command = train.commands.find((each) => each.name() === which)!;
  command.action((data: string, options: object) => {
    found = { data, ...options };
  });
  quiet(train);
  await train.parseAsync([which, ...args, ...(config === undefined ? [] : ['--config', file])], { from: 'user' });
  return found;
}

function quiet(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  for (const sub of command.commands) quiet(sub);
}

/** The one line that a mistake prints, with the name of the file shortened. */
async function mistake(config: string, args: readonly string[] = ['data', '--out', folder, '--cluster', '0']) {
  const lines: string[] = [];
  await optionsOf(args, config).then(
    () => lines.push('nothing'),
    (error) => reportFailure(error, (line) => lines.push(line)),
  );
  return lines.join('\n').replaceAll(file, 'train.yaml');
}

async function printed(args: readonly string[], config?: string): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await expect(optionsOf([...args, '--print-config'], config)).rejects.toMatchObject({ exitCode: 0 });
  return log.mock.calls.flat().join('\n');
}

const whole = `
data: some/data
out: ${folder}/runs
cluster: 3
steps: 250
learning-rate: 3e-4
times: logit-normal:0.5,1
ema: [0.9999, 0.999]
sample-prompt: [a cat, two cats]
network:
  modulation: zero
  layerNormEps: 1e-6
`;

describe('--config', () => {
  it('gives options their values, checked and read as on the command line', async () => {
    expect(await optionsOf([], whole)).toMatchObject({
      ...{ data: 'some/data', out: `${folder}/runs`, cluster: 3, steps: 250, learningRate: 3e-4 },
      times: { name: 'logit-normal:0.5,1' },
      ema: [0.9999, 0.999],
      samplePrompt: ['a cat', 'two cats'],
      network: { modulation: 'zero', layerNormEps: 1e-6 },
      batch: 32,
    });
  });

  it('loses to the command line, wherever that names the file', async () => {
    const args = ['my/data', '--steps', '7', '--sample-prompt', 'a dog', '--ema', '0'];
    const wanted = { data: 'my/data', steps: 7, samplePrompt: ['a dog'], ema: [0], cluster: 3 };
    expect(await optionsOf(args, whole)).toMatchObject(wanted);
    expect(await optionsOf(['--config', file, ...args])).toMatchObject(wanted);
    // The default's value on the command line is a value, too.
    expect(await optionsOf(['--batch', '32'], `${whole}\nbatch: 8`)).toMatchObject({ batch: 32 });
  });

  it('may be JSON', async () => {
    const json = JSON.stringify({ data: 'd', out: `${folder}/runs`, steps: 9, precision: 'mixed-f16' });
    expect(await optionsOf([], json, 'router')).toMatchObject({ data: 'd', steps: 9, precision: 'mixed-f16' });
  });

  it.each([
    ['steps: many', '[config] train.yaml: steps is "many". It is not a whole number.'],
    ['steps: 0', '[config] train.yaml: steps is 0. It must be a whole number from 1 on.'],
    ['steps: [1, 2]', '[config] train.yaml: steps is [1,2]. It is not a whole number.'],
    ['out: [a, b]', '[config] train.yaml: out is ["a","b"]. It is a single path.'],
    ['steps: {a: 1}', '[config] train.yaml: steps is {"a":1}. It is a text, a number or a list of them.'],
    ['steps:', '[config] train.yaml: steps has no value. Give one, or remove the line.'],
    ['init: [a, b]', '[config] train.yaml: init is ["a","b"]. It is a single value.'],
    ['precision: f64', '[config] train.yaml: precision is "f64". Allowed choices are f32, mixed-f16.'],
    ['network: 5', '[config] train.yaml: network is 5. It is a mapping of fields to values.'],
    ['data: 5', '[config] train.yaml: data is 5. It is the path of a folder.'],
    ['fresh: true', '[config] train.yaml: fresh is for one call. Give it on the command line.'],
    [
      'modulation: zero',
      '[config] train.yaml: "modulation" is no option of paris expert. paris expert --help lists them; fields of config.json go below "network:".',
    ],
    ['- steps', '[config] train.yaml holds no options. Write one a line, such as "steps: 1000".'],
    ['steps: 1\nsteps: 2', '[config] train.yaml, line 2: Map keys must be unique. Correct the YAML.'],
    ['steps: "1', '[config] train.yaml, line 1: Missing closing "quote. Correct the YAML.'],
    ['steps: &a 1\nbatch: *a', '[config] train.yaml uses aliases (*name). Write the values out.'],
    ['times: often', '[config] train.yaml: times is "often". [timeDensity] no density of times is called "often".'],
  ])('refuses %j in a sentence that names the field', async (config, sentence) => {
    const said = await mistake(config);
    expect(said).toContain(sentence);
    expect(said).toMatch(/^paris: .*$/);
  });

  it('does not replace what must be given', async () => {
    await expect(optionsOf(['data', '--cluster', '0'], 'steps: 1')).rejects.toThrow("required option '--out <folder>'");
    await expect(optionsOf([], 'steps: 1')).rejects.toThrow("missing required argument 'data'");
    await expect(optionsOf(['data', '--out', 'o'])).rejects.toThrow("required option '--cluster <k>' not specified");
    await expect(optionsOf(['--config', join(folder, 'nowhere.yaml')])).rejects.toThrow('cannot be read (ENOENT)');
  });
});

describe('--print-config', () => {
  it('prints a file that gives the same options', async () => {
    const text = await printed([], whole);
    const again = await optionsOf([], text);
    const plain = ({ config: _, ...options }: Record<string, unknown>) => JSON.parse(JSON.stringify(options));
    expect(plain(again)).toEqual(plain(await optionsOf([], whole)));
    expect(text).toContain('# pictures a step\nbatch: 32\n');
    expect(text).toContain('ema:\n  - 0.9999\n  - 0.999\n');
    expect(text).toContain('# safetensors file of weights to start from\n# init: …\n');
    expect(text).not.toMatch(/^(fresh|json|print-config|config):/m);
  });

  it('prints one without anything given, with every option of the help', async () => {
    const text = await printed([]);
    const command = trainCommand().commands.find((each) => each.name() === 'expert')!;
    for (const { long } of command.options) {
      if (['--config', '--print-config', '--fresh', '--json', '--watch'].includes(long!)) continue;
      expect(text).toMatch(new RegExp(`^(# )?${long!.slice(2)}: `, 'm'));
    }
  });
});
