// What commands show while a model is downloaded and loaded.
import type { DownloadProgress } from '@paris/files/download';
import type { LoadProgress } from '@paris/sampler';
import type { Reporter } from './reporter.js';

const kilobytes = (bytes: number) => Math.ceil(bytes / 1000);

/** Reports of downloads, of files that are worth a bar; of the others, that work continues. */
export function downloadReport(reporter: Reporter): (progress: DownloadProgress) => void {
  return ({ path, loadedBytes, totalBytes }) => {
    reporter.alive();
    if (totalBytes < 1e6) return;
    reporter.work(`downloading ${path} kB`, kilobytes(loadedBytes), kilobytes(totalBytes));
  };
}

/** Reports of both. What is read while it is downloaded has one bar, that of the download. */
export function loadReports(reporter: Reporter): {
  onDownload: (progress: DownloadProgress) => void;
  onLoad: (progress: LoadProgress) => void;
} {
  const download = downloadReport(reporter);
  let lastDownload = Number.NEGATIVE_INFINITY;
  return {
    onDownload: (progress) => {
      lastDownload = performance.now();
      download(progress);
    },
    onLoad: ({ loadedBytes, totalBytes }) => {
      reporter.alive();
      if (performance.now() - lastDownload < 2000 && loadedBytes < totalBytes) return;
      reporter.work('loading kB', kilobytes(loadedBytes), kilobytes(totalBytes));
    },
  };
}
