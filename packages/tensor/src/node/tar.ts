// The few lines of tar (ustar) that it takes to read SwiftShader's archive.

const BLOCK_BYTES = 512;

/** The regular files of an uncompressed tar archive, as [name, content]. */
export function* tarFiles(archive: Uint8Array): Generator<[name: string, content: Uint8Array]> {
  let offset = 0;
  while (offset + BLOCK_BYTES <= archive.length) {
    const name = text(archive, offset, 100);
    if (name === '') return; // zero blocks end an archive
    const size = Number.parseInt(text(archive, offset + 124, 12).trim() || '0', 8);
    const type = text(archive, offset + 156, 1);
    const start = offset + BLOCK_BYTES;
    if (!Number.isFinite(size) || start + size > archive.length) {
      throw new Error(`the archive is damaged at byte ${offset}`);
    }
    if (type === '' || type === '0') yield [name, archive.subarray(start, start + size)];
    offset = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

function text(archive: Uint8Array, start: number, length: number): string {
  const bytes = archive.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
