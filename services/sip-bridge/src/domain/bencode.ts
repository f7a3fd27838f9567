/** Bencode, which rtpengine's ng protocol speaks: dictionaries, lists, integers, byte strings (read as text). */

export type Bencoded = string | number | Bencoded[] | { [key: string]: Bencoded };

/** No answer of a relay is nested deeper. */
const depthMax = 16;

export function bencode(value: Bencoded): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (typeof value === 'number') return `i${value}e`;
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`;
  return `d${Object.keys(value)
    .sort()
    .map((key) => bencode(key) + bencode(value[key] ?? ''))
    .join('')}e`;
}

/** @throws Error on what is none. */
export function bdecode(bytes: Buffer): Bencoded {
  const { value, end } = decodeAt(bytes, 0, 0);
  if (end !== bytes.length) throw new Error('Something follows the bencoded value');
  return value;
}

type Decoded = { value: Bencoded; end: number };

function decodeAt(bytes: Buffer, at: number, depth: number): Decoded {
  if (depth > depthMax) throw new Error('Nested too deep');
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case 'i':
      return decodeNumber(bytes, at);
    case 'l':
      return decodeMany(bytes, at, depth);
    case 'd':
      return decodeDictionary(bytes, at, depth);
    default:
      return decodeText(bytes, at);
  }
}

function decodeNumber(bytes: Buffer, at: number): Decoded {
  const end = bytes.indexOf('e', at);
  const text = end < 0 ? '' : bytes.toString('latin1', at + 1, end);
  if (!/^-?\d{1,15}$/.test(text)) throw new Error('Not a bencoded number');
  return { value: Number(text), end: end + 1 };
}

function decodeText(bytes: Buffer, at: number): Decoded {
  const colon = bytes.indexOf(':', at);
  const digits = colon < 0 ? '' : bytes.toString('latin1', at, colon);
  const end = colon + 1 + Number(digits);
  if (!/^\d{1,8}$/.test(digits) || end > bytes.length) throw new Error('Not a bencoded string');
  return { value: bytes.toString('utf8', colon + 1, end), end };
}

function decodeMany(bytes: Buffer, at: number, depth: number): Decoded & { value: Bencoded[] } {
  const value: Bencoded[] = [];
  let end = at + 1;
  while (bytes[end] !== 0x65) {
    const one = decodeAt(bytes, end, depth + 1);
    value.push(one.value);
    end = one.end;
  }
  return { value, end: end + 1 };
}

function decodeDictionary(bytes: Buffer, at: number, depth: number): Decoded {
  const { value, end } = decodeMany(bytes, at, depth);
  if (value.length % 2 !== 0 || value.some((one, index) => index % 2 === 0 && typeof one !== 'string'))
    throw new Error('Not a bencoded dictionary');
  const pairs = value.flatMap((one, index): [string, Bencoded][] =>
    index % 2 === 0 ? [[one as string, value[index + 1] ?? '']] : [],
  );
  return { value: Object.fromEntries(pairs), end };
}
