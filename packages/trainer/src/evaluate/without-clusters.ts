// What a model without some experts is measured on: the pictures of the clusters that are there.
import type { Labels, TrainingData } from '../data/files.js';
import type { LabelledManifest } from '../data/formats.js';
import { pickItems } from '../data/items.js';
import { pickRows } from '../data/rows.js';

/** Pictures with their clusters. */
export type LabelledData = TrainingData<LabelledManifest> & Labels;

/** Labelled pictures but those of some clusters, and where in the folder each of them is. */
export function withoutClusters(data: LabelledData, clusters: readonly number[]): LabelledData & { places: number[] } {
  const places = [...data.labels.keys()].filter((row) => !clusters.includes(data.labels[row]!));
  if (places.length === data.manifest.count) return { ...data, places };
  const items = pickItems(data.items, places);
  return {
    ...data,
    manifest: { ...data.manifest, count: places.length, items: undefined },
    items,
    rows: pickRows(data.rows, data.manifest, places),
    labels: data.labels.filter((k) => !clusters.includes(k)),
    places,
  };
}
