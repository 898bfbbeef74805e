// k-means on the device against the same in plain JavaScript, from the same start, results compared.
//   npx paris exec -- node benchmarks/src/kmeans.js [rows = 200000] [iterations = 10]
import { kMeans } from '@paris/clustering';
import { hostNormal, key, openDevice } from '@paris/tensor';

const [rows = 200_000, iterations = 10] = process.argv.slice(2).map(Number);
const clusters = 1024;
const dimensions = 64;
const features = hostNormal(key(1), rows * dimensions);
const initial = features.slice(0, clusters * dimensions);

const device = await openDevice();
const options = { clusters, metric: 'euclidean', initial, tolerance: 0 };
await kMeans(device, features.subarray(0, 2048 * dimensions), dimensions, { ...options, maxIterations: 1 }); // compiles
const [ours, oursMs] = await timed(() =>
  kMeans(device, features, dimensions, { ...options, maxIterations: iterations }),
);
const [plain, plainMs] = await timed(() => lloyd());

const same = plain.labels.filter((label, i) => label === ours.labels[i]).length / rows;
const inertia = ours.inertia / plain.inertia;
// Rows between two centroids may fall to either side in f32; more than a few are a mistake.
if (same < 0.999 || Math.abs(inertia - 1) > 1e-4) {
  throw new Error(`the results differ: ${same} of the labels are equal, the inertias are 1 : ${inertia}`);
}
console.log(`${rows} × ${dimensions}, K = ${clusters}, ${iterations} iterations on ${device.info.adapter}`);
console.log(
  `@paris/clustering ${seconds(oursMs)}   plain JavaScript ${seconds(plainMs)}   ratio ${(plainMs / oursMs).toFixed(2)}`,
);
console.log(`equal labels ${(100 * same).toFixed(3)} %   inertia ratio ${inertia.toFixed(8)}`);
await device.close();
process.exit();

/** Lloyd's iterations, the centroids' lengths worked out once a pass; labels and inertia are of the final centroids. */
function lloyd() {
  const centroids = initial.slice();
  const labels = new Uint32Array(rows);
  for (let pass = 0; ; pass++) {
    const sums = new Float64Array(clusters * dimensions);
    const counts = new Uint32Array(clusters);
    const inertia = assign(centroids, labels, sums, counts);
    if (pass === iterations) return { labels, inertia };
    for (let at = 0; at < centroids.length; at++) {
      const count = counts[Math.floor(at / dimensions)];
      if (count > 0) centroids[at] = sums[at] / count;
    }
  }
}

function assign(centroids, labels, sums, counts) {
  const half = new Float32Array(clusters);
  for (let at = 0; at < centroids.length; at++) half[Math.floor(at / dimensions)] += centroids[at] ** 2 / 2;
  let inertia = 0;
  for (let row = 0; row < rows; row++) {
    const from = row * dimensions;
    let best = Number.POSITIVE_INFINITY;
    let label = 0;
    for (let k = 0; k < clusters; k++) {
      const to = k * dimensions;
      let score = half[k];
      for (let d = 0; d < dimensions; d++) score -= features[from + d] * centroids[to + d];
      if (score < best) {
        best = score;
        label = k;
      }
    }
    labels[row] = label;
    counts[label]++;
    for (let d = 0; d < dimensions; d++) {
      const x = features[from + d];
      sums[label * dimensions + d] += x;
      inertia += (x - centroids[label * dimensions + d]) ** 2;
    }
  }
  return inertia;
}

async function timed(work) {
  const started = performance.now();
  const result = await work();
  return [result, performance.now() - started];
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
