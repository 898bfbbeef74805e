import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { memoryStore } from '../stores/memory.js';
import { parseSafetensorsHeader, readHeader } from './read.js';

function file(json: string | Uint8Array, dataBytes: number, claimed?: bigint): Uint8Array {
  const header = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}
const tensor = (name: string, begin: number, end: number, extra = '"dtype":"F32","shape":[2]') =>
  `"${name}":{${extra},"data_offsets":[${begin},${end}]}`;

// [what, the file, the message]: every message is one line and says what is wrong.
const hostile: [string, Uint8Array, RegExp][] = [
  ['nothing', new Uint8Array(0), /m: it has 0 bytes, too few for a header/],
  ['seven bytes', new Uint8Array(7), /too few/],
  ['a header longer than the file', file('{}', 0, 3n), /claims 3 of 2 bytes/],
  ['a header of 2⁶⁴ − 1 bytes', file('{}', 0, 2n ** 64n - 1n), /more than the format allows/],
  ['an empty header', file('', 0), /no JSON/],
  ['no JSON', file('{"a":', 0), /no JSON/],
  ['no object', file('[]', 0), /no JSON object/],
  ['null', file('null', 0), /no JSON object/],
  ['a header that begins with a space', file(' {}', 0), /begins with "{"/],
  ['no UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0), /no UTF-8/],
  ['metadata that is no record', file('{"__metadata__":[]}', 0), /no record of strings/],
  ['metadata with numbers', file('{"__metadata__":{"a":1}}', 0), /no record of strings/],
  ['a tensor twice', file(`{${tensor('a', 0, 8)},${tensor('a', 0, 8)}}`, 8), /names "a" twice/],
  ['a tensor twice, once escaped', file(`{${tensor('a', 0, 8)},${tensor('\\u0061', 0, 8)}}`, 8), /names "a" twice/],
  ['a field twice', file(`{${tensor('a', 0, 8, '"dtype":"F32","dtype":"U8","shape":[2]')}}`, 8), /names "dtype" twice/],
  ['a description that is no object', file('{"a":3}', 0), /"a" is described by no object/],
  ['an unknown field', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[2],"x":1')}}`, 8), /unknown field "x"/],
  ['an unknown dtype', file(`{${tensor('a', 0, 8, '"dtype":"F8","shape":[2]')}}`, 8), /dtype "F8", which is not read/],
  ['a dtype out of the prototype', file(`{${tensor('a', 0, 8, '"dtype":"toString","shape":[2]')}}`, 8), /"toString"/],
  ['no dtype', file(`{${tensor('a', 0, 8, '"shape":[2]')}}`, 8), /dtype "undefined"/],
  ['no shape', file(`{${tensor('a', 0, 8, '"dtype":"F32"')}}`, 8), /no list of whole numbers/],
  ['a negative size', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[-2]')}}`, 8), /no list of whole numbers/],
  ['a fractional size', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[0.5,4]')}}`, 8), /no list of whole/],
  ['a size as text', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":["2"]')}}`, 8), /no list of whole numbers/],
  ['a size beyond 2⁵³', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[1e300]')}}`, 8), /no list of whole numbers/],
  [
    'sizes whose product overflows',
    file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[4294967296,4294967296]')}}`, 8),
    /has 8 bytes/,
  ],
  ['three offsets', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}', 8), /no two whole numbers/],
  ['no offsets', file('{"a":{"dtype":"F32","shape":[2]}}', 8), /no two whole numbers/],
  ['offsets the wrong way round', file(`{${tensor('a', 8, 0)}}`, 8), /has -8 bytes/],
  ['fewer bytes than the shape needs', file(`{${tensor('a', 0, 4)}}`, 4), /has 4 bytes, but \[2\] of F32 takes 8/],
  ['a tensor beyond the end', file(`{${tensor('a', 0, 8)}}`, 7), /end at byte \d+, beyond the end of the file/],
  ['bytes that belong to nobody', file(`{${tensor('a', 0, 8)}}`, 9), /before the end of the file/],
  [
    'overlapping tensors',
    file(`{${tensor('a', 0, 8)},${tensor('b', 4, 12)}}`, 12),
    /"b" overlaps the tensor before it/,
  ],
  ['two tensors at one place', file(`{${tensor('a', 0, 8)},${tensor('b', 0, 8)}}`, 8), /overlaps/],
  ['a gap', file(`{${tensor('a', 0, 8)},${tensor('b', 12, 20)}}`, 20), /"b" leaves a gap before it/],
  ['a gap at the start', file(`{${tensor('a', 4, 12)}}`, 12), /"a" leaves a gap/],
  ['lists without end', file('['.repeat(1e6), 0), /its header nests lists and objects more than 3 deep/],
  ['objects without end', file('{"a":'.repeat(1e6), 0), /its header nests lists and objects more than 3 deep/],
  ['a shape of lists', file(`{${tensor('a', 0, 8, '"dtype":"F32","shape":[[2]]')}}`, 8), /more than 3 deep/],
  [
    'a dtype by the name of a method',
    file(`{${tensor('a', 0, 8, '"dtype":"constructor","shape":[2]')}}`, 8),
    /"constructor"/,
  ],
  ['a name of a megabyte', file(`{"${'x'.repeat(1e6)}":1}`, 0), /^.{0,200}is described by no object/],
];

describe('a header that is wrong', () => {
  it.each(hostile)('%s', async (_, bytes, message) => {
    expect(() => parseSafetensorsHeader(bytes, 'm')).toThrow(message);
    expect(refusal(bytes)).toMatch(/^\[safetensors\] m: [^\n]{1,300}$/);
    await expect(readHeader(memoryStore({ m: bytes }), 'm')).rejects.toBeInstanceOf(CheckpointError);
  });
});

it('a header that is right, at the edges of the format', () => {
  const padded = file('{"__metadata__":{"k":"v"},"b":{"shape":[],"dtype":"F32","data_offsets":[0,4]}}     ', 4);
  expect(parseSafetensorsHeader(padded)).toMatchObject({
    metadata: { k: 'v' },
    entries: [{ name: 'b', sizeBytes: 4 }],
  });
  const empties = `{${tensor('z', 4, 4, '"dtype":"F32","shape":[0]')},${tensor('a', 0, 4, '"dtype":"F32","shape":[1]')},${tensor('e', 0, 0, '"dtype":"F32","shape":[9007199254740991,0]')}}`;
  expect(parseSafetensorsHeader(file(empties, 4)).entries.map((entry) => entry.name)).toEqual(['e', 'a', 'z']);
});

it('takes text of any length in the metadata', () => {
  const long = '\\n"x'.repeat(1e6).replaceAll('"', '\\"');
  const bytes = file(`{"__metadata__":{"long":"${long}"},${tensor('a', 0, 8)}}`, 8);
  expect(parseSafetensorsHeader(bytes).metadata.long).toHaveLength(3e6);
});

it('a header with errors planted at random is refused with one sentence, or is sound', () => {
  const whole = `{"__metadata__":{"f":"g"},${tensor('a.w', 0, 8)},${tensor('b', 8, 11, '"dtype":"U8","shape":[3,1]')},${tensor('c', 11, 11, '"dtype":"I64","shape":[0]')}}`;
  const crumbs = [
    '0',
    '-1',
    '9',
    '1e99',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    'F16',
    'null',
    '"a.w":1,',
    '\u0000',
    '[[',
    'é',
  ];
  let state = 2026;
  const pick = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes, §7.1: the upper bits are the good ones
    return Math.floor((state / 2 ** 32) * below);
  };
  let refused = 0;
  let sound = 0;
  for (let round = 0; round < 600; round++) {
    let json = whole;
    for (let edits = 1 + pick(2); edits > 0; edits--) {
      const at = pick(json.length);
      json = json.slice(0, at) + crumbs[pick(crumbs.length)] + json.slice(at + pick(3));
    }
    let bytes = file(json, 11);
    if (round % 5 === 0) bytes[pick(bytes.length)]! ^= 1 << pick(8);
    if (round % 7 === 0) bytes = bytes.slice(0, pick(bytes.length));
    const message = refusal(bytes);
    if (message !== undefined) {
      expect(message).toMatch(/^\[safetensors\] m: [^\n]{1,400}$/);
      refused += 1;
      continue;
    }
    sound += 1;
    const { entries } = parseSafetensorsHeader(bytes);
    let end = bytes.length - 11;
    for (const entry of entries) {
      expect(entry.offset).toBe(end);
      end += entry.sizeBytes;
    }
    expect(end).toBe(bytes.length);
  }
  expect(refused).toBeGreaterThan(400);
  expect(sound).toBeGreaterThan(5);
});

/** The message with which a header is refused; any other error fails the test. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    parseSafetensorsHeader(bytes, 'm');
    return undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.message;
  }
}
