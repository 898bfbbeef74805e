// Memory with the number of records: npm run test:long -- many-records. Pictures are made one at a time, prepared into shards on
// a disk, partitioned, and a cluster of them is read as training reads it. The collector runs before each look at the memory, so
// that what is measured is held. PARIS_RECORDS=10000,50000 takes other numbers of records.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodeStore } from '@paris/files/node';
import { expect, it } from 'vitest';
import { openManifestFolder } from '../data/files.js';
import { gatherRows } from '../data/rows.js';
import { generated } from '../testing/generated.js';
import type { PictureSource } from './picture-source.js';
import { preparePictures } from './prepare.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MB = 1e6;
const size = 16;
const shardBytes = 2 ** 22;

/** Bytes that are held: objects, and arrays beside them. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it('grows by what is said of each picture, and not by its pixels', async () => {
  const counts = (process.env.PARIS_RECORDS ?? '10000,50000,200000').split(',').map(Number);
  const grown: number[] = [];
  for (const count of counts) {
    const folder = await mkdtemp(join(tmpdir(), 'paris-many-'));
    try {
      const out = nodeStore(folder);
      const before = held();
      let most = 0;
      const look = () => {
        most = Math.max(most, held() - before);
      };
      async function* watched(): PictureSource {
        let done = 0;
        for await (const picture of generated(count, size)) {
          if (++done % Math.ceil(count / 20) === 0) look();
          yield picture;
        }
      }
      const watching = setInterval(look, 500);
      const began = performance.now();
      const options = { pictures: watched(), out, size, shardBytes, order: 'name', holdout: 0.01 } as const;
      const manifest = await preparePictures(options);
      clearInterval(watching);
      look();
      const { rows } = await openManifestFolder(out);
      for (let i = 0; i < 50; i++) {
        await gatherRows(
          rows,
          manifest,
          Array.from({ length: 64 }, (_, at) => (at * 7919 + i * 104_729) % count),
        );
      }
      look();
      grown.push(most);
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      const pixels = ((count * 3 * size * size) / MB).toFixed(0);
      const each = (most / count).toFixed(0);
      console.log(
        `${count} records, ${pixels} MB of pixels: ${(most / MB).toFixed(0)} MB held, ${each} bytes a record; ${seconds} s`,
      );
      expect(manifest.shards!.length).toBeGreaterThan(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  const [few, many] = [counts[0]!, counts.at(-1)!];
  // Names, captions and groups as objects, and 64 bytes of a look; a picture has 768 bytes of pixels here.
  expect((grown.at(-1)! - grown[0]!) / (many - few)).toBeLessThan(1500);
});
