// Text chunks of PNG files (PNG 3rd edition, §11.3.3): written after the header, read without decoding the picture.

/** After the signature and IHDR. */
const afterHeader = 8 + 25;

/** A PNG with text chunks, by keyword, put in: Latin-1 as tEXt, which every reader knows, all else as UTF-8 iTXt. */
export function withText(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  const size = chunks.reduce((sum, { length }) => sum + length, png.length);
  const out = new Uint8Array(size);
  out.set(png.subarray(0, afterHeader));
  let at = afterHeader;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  out.set(png.subarray(afterHeader), at);
  return out;
}

/** A part of a PNG file. */
export interface PngChunk {
  /** Four letters, such as `IDAT`. */
  readonly type: string;
  /** A view of the file's bytes. */
  readonly data: Uint8Array;
}

/** The chunks of a PNG file, undecoded and with their checksums unread. It ends before one that is cut off. */
export function* pngChunks(png: Uint8Array): Generator<PngChunk, void, undefined> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; ) {
    const size = view.getUint32(at);
    if (size > png.length - at - 12) return;
    yield { type: latin1(png.subarray(at + 4, at + 8)), data: png.subarray(at + 8, at + 8 + size) };
    at += 12 + size;
  }
}

/** Text chunks by keyword; the first of a keyword counts. Compressed ones, and whatever follows a broken chunk, are left out. */
export function textOf(png: Uint8Array): Record<string, string> {
  const texts: Record<string, string> = Object.create(null);
  for (const { type, data } of pngChunks(png)) {
    const [keyword, text] = textIn(type, data);
    if (text !== undefined && !(keyword in texts)) texts[keyword] = text;
  }
  return texts;
}

/** Whether bytes begin as a PNG does. */
export function isPng(bytes: Uint8Array): boolean {
  return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

function textIn(type: string, data: Uint8Array): [string, string | undefined] {
  const end = data.indexOf(0);
  const keyword = latin1(data.subarray(0, Math.max(0, end)));
  if (end < 0) return [keyword, undefined];
  if (type === 'tEXt') return [keyword, latin1(data.subarray(end + 1))];
  if (type !== 'iTXt' || data[end + 1] !== 0) return [keyword, undefined];
  const language = data.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  return [keyword, translated < 0 ? undefined : new TextDecoder().decode(data.subarray(translated + 1))];
}

function textChunk(keyword: string, text: string): Uint8Array {
  const isLatin1 = /^[\n\x20-\x7e\xa0-\xff]*$/.test(text);
  const key = bytesOf(keyword);
  const body = isLatin1 ? bytesOf(text) : new TextEncoder().encode(text);
  const between = isLatin1 ? [0] : [0, 0, 0, 0, 0]; // iTXt: not compressed, no language, no translated keyword
  const data = Uint8Array.of(...bytesOf(isLatin1 ? 'tEXt' : 'iTXt'), ...key, ...between);
  const chunk = new Uint8Array(8 + data.length + body.length);
  chunk.set(data, 4);
  chunk.set(body, 4 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length - 4 + body.length);
  view.setUint32(chunk.length - 4, crc32(chunk.subarray(4, chunk.length - 4)));
  return chunk;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Of a chunk's type and data (PNG 3rd edition, annex D). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
