// What a session does, in the order of what is worth most, and what each part is expected to take.

/** Floating-point operations of a forward of DiT-XL/2 for one picture, with text (2 × 144 GMAC). */
const XL_FORWARD = 289e9;
/** What is held on the card and sent to it: DiT-XL/2 in f32. */
const XL_BYTES = 2.42e9;
/** Bytes a second from host memory to the card, where nothing was measured. */
const UPLOAD = 2e9;

/** Of a folder that `paris prepare` wrote, the pictures without what was made of them. */
export const PREPARED = /^(manifest\.json|images[\w-]*\.safetensors|items-\d+\.jsonl)$/;

/** Trainings of the 32 px weights: what `train.js` does, per network. */
export const TRAINING = { experts: 8, steps: 4000, batchSize: 16, router: 1000 };

/**
 * The parts of a session. `share` is the most that a part may take of the time that is left when it begins: a part that is cut short
 * has written what it found, and leaves the rest to the others.
 * @param {number} flopsPerSecond - of a product in f32, measured by the first part
 */
export function planOf(flopsPerSecond) {
  const rate = 0.3 * flopsPerSecond; // networks are not all product
  const seconds = (/** @type {number} */ flops) => flops / rate;
  const trained = TRAINING.experts * TRAINING.steps + TRAINING.router;
  return [
    { name: 'self-test', share: 0.3, seconds: 30, what: 'every family of kernels against the CPU' },
    {
      name: 'sizes',
      share: 0.4,
      seconds: 4 * (XL_BYTES / UPLOAD) + seconds(4 * 12 * 2 * XL_FORWARD),
      what: 'DiT-XL/2: guided step in f32, f16, q8, q4',
    },
    { name: 'tune', share: 0.35, seconds: 120, what: 'products and attention of DiT-XL/2; the table' },
    {
      name: 'sizes-tuned',
      share: 0.4,
      seconds: 4 * (XL_BYTES / UPLOAD) + seconds(4 * 12 * 2 * XL_FORWARD),
      what: 'the same with the table',
    },
    {
      name: 'training',
      share: 0.5,
      seconds: 20 + seconds(4 * 63 * 3 * XL_FORWARD),
      what: 'DiT-XL/2: training steps at batches 1 to 32, as they fit',
    },
    { name: 'first-cold', share: 0.5, seconds: 15, what: 'first training step of DiT-B/2 without any shader cache' },
    { name: 'first-warm', share: 0.5, seconds: 10, what: 'the same again in a new process' },
    { name: 'suites', share: 0.5, seconds: 120, what: 'every suite of the tests' },
    { name: 'peers', share: 0.5, seconds: 240, what: 'the benchmark, with the other libraries' },
    // A network of this size is bound by launches: about 3 ms a step.
    {
      name: 'weights',
      share: 1,
      seconds: trained * 3e-3 + 30,
      what: `${TRAINING.experts} experts and a router of 32 px, ${trained} steps in all`,
    },
  ];
}

/** `  2  tune          120 s   products …`, and when each part would end. */
export function planText(/** @type {ReturnType<typeof planOf>} */ plan, /** @type {number} */ minutes) {
  let total = 0;
  const lines = plan.map(({ name, seconds, what }, i) => {
    total += seconds;
    return `${String(i + 1).padStart(3)}  ${name.padEnd(12)} ${seconds.toFixed(0).padStart(5)} s  ${what}`;
  });
  const left = total > 60 * minutes ? ': what does not fit is cut short, the last parts first' : '';
  return [...lines, `     ${total.toFixed(0)} s in all, of ${60 * minutes} s${left}`].join('\n');
}
