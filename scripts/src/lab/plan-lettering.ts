/**
 * Lettering as strokes, the way it is drawn on plans: a box renders plans without fonts, so text would come out as boxes.
 * Each letter is a list of polylines on a grid 4 wide and 6 high, `x y` in digits.
 */
const glyphs: Readonly<Record<string, string>> = {
  A: '0620 2046 1434',
  B: '0600303142330333 3344453606',
  C: '4130100105163645',
  D: '060030414536 3606',
  E: '40000646 0333',
  F: '400006 0333',
  G: '4130100105163645 4323 4345',
  H: '0006 4046 0343',
  I: '2026',
  J: '3035261605',
  K: '0006 4003 1346',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '100105163645413010',
  P: '06003041423303',
  Q: '100105163645413010 3546',
  R: '06003041423303 2346',
  S: '413010010213334445361605',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  '0': '10010516364541 413010',
  '1': '112026',
  '2': '0110304142060646',
  '3': '0040234344361605',
  '4': '300444 3036',
  '5': '400003334445361605',
  '6': '4020030516364534 341403',
  '7': '004016',
  '8': '1001021304051636454433424130 3010 1333',
  '9': '46421304',
  '-': '1333',
};

const advance = 5.6;

/** Text centred on a point, `size` units high, as one path's data. Letters, digits, hyphen and space. */
export function lettering(text: string, x: number, y: number, size: number): string {
  const scale = size / 6;
  const width = (text.length * advance - (advance - 4)) * scale;
  return Array.from(text.toUpperCase())
    .flatMap((letter, index) => {
      const left = x - width / 2 + index * advance * scale;
      return (glyphs[letter] ?? '').split(' ').map((line) => polyline(line, left, y - size / 2, scale));
    })
    .join('');
}

function polyline(line: string, left: number, top: number, scale: number): string {
  const points = line.match(/\d\d/g) ?? [];
  return points
    .map((point, index) => {
      const at = [left + Number(point[0]) * scale, top + Number(point[1]) * scale].map((n) => n.toFixed(1));
      return `${index === 0 ? 'M' : 'L'}${at.join(' ')}`;
    })
    .join('');
}
