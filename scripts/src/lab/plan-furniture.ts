/** Furniture of each kind of room, drawn to fit the room. */
import type { Furniture, Room } from './building.ts';

const line = '#a9b3bf';
const soft = '#c9d0d8';
const fill = '#fbfcfd';
const wood = '#f4eee3';
const green = '#cfe0cf';

type Shape = string;
const n = (value: number): string => String(Math.round(value * 10) / 10);
export const rect = (x: number, y: number, w: number, h: number, more = '', radius = 3): Shape =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" rx="${radius}" ${more}/>`;
const box = (x: number, y: number, w: number, h: number, colour = fill, radius = 3): Shape =>
  rect(x, y, w, h, `fill="${colour}" stroke="${line}" stroke-width="1.6"`, radius);
const circle = (x: number, y: number, r: number, colour = fill): Shape =>
  `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${colour}" stroke="${line}" stroke-width="1.6"/>`;
const stroke = (d: string, colour = soft, width = 1.6): Shape =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round"/>`;
const steps = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.max(0, Math.floor((to - from) / step) + 1) }, (_, index) => from + index * step);

const chair = (x: number, y: number): Shape => box(x - 8, y - 8, 16, 16, fill, 6);

function plant(x: number, y: number, r = 14): Shape {
  const leaves = steps(0, 330, 45).map((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    return `M${n(x)} ${n(y)}L${n(x + Math.cos(angle) * r)} ${n(y + Math.sin(angle) * r)}`;
  });
  return circle(x, y, r, green) + stroke(leaves.join(''), '#8fb08f', 1.4);
}

/** Two desks face to face with screens and chairs. */
function desks(x: number, y: number): Shape {
  return [
    chair(x + 26, y - 12),
    chair(x + 26, y + 72),
    box(x, y, 52, 28, wood),
    box(x, y + 31, 52, 28, wood),
    stroke(`M${x + 12} ${y + 22}h28M${x + 12} ${y + 38}h28`, '#7f8b98', 2.4),
  ].join('');
}

function openOffice({ x, y, width, height }: Room): Shape {
  const columns = steps(x + 46, x + width - 80, 102);
  const rows = steps(y + 56, y + height - 100, 130);
  const plants = plant(x + 26, y + height - 26) + plant(x + width - 26, y + height - 26);
  return columns.flatMap((left) => rows.map((top) => desks(left, top))).join('') + plants;
}

function meeting({ x, y, width, height }: Room): Shape {
  const [w, h] = [86, height - 176];
  const [left, top] = [x + width / 2 - w / 2, y + 66];
  const seats = steps(top + 22, top + h - 16, 38).flatMap((at) => [
    chair(left - 17, at),
    chair(left + w + 17, at),
  ]);
  const ends = chair(left + w / 2, top - 17) + chair(left + w / 2, top + h + 17);
  const screen = stroke(`M${x + width / 2 - 40} ${y + 24}h80`, '#7f8b98', 4);
  return seats.join('') + ends + box(left, top, w, h, wood, 18) + screen + plant(x + 28, y + 34, 12);
}

function lobby({ x, y, width, height }: Room): Shape {
  const [cx, cy] = [x + 96, y + 168];
  const counter = `<path d="M${cx - 62} ${cy - 34}a62 62 0 0 1 124 0v30h-24v-26a38 38 0 0 0 -76 0v26h-24z" fill="${wood}" stroke="${line}" stroke-width="1.8"/>`;
  const sofa = (left: number, top: number): Shape =>
    box(left, top, 46, 92, fill, 8) +
    box(left + 14, top + 6, 28, 38, fill, 5) +
    box(left + 14, top + 48, 28, 38, fill, 5);
  const rug = rect(
    x + width - 140,
    y + 140,
    122,
    124,
    `fill="#eef1f4" stroke="${soft}" stroke-dasharray="4 4"`,
    8,
  );
  const gates = steps(x + 96, x + 156, 30).map((left) =>
    box(left + 14, y + height - 96, 8, 46, '#e3e8ed', 3),
  );
  return [
    rug,
    counter,
    chair(cx, cy - 14),
    sofa(x + width - 66, y + 156),
    circle(x + width - 104, y + 202, 20, wood),
    ...gates,
    plant(x + width - 30, y + height - 30, 16),
    plant(x + 30, y + height - 30, 16),
    plant(x + width - 30, y + 116, 13),
  ].join('');
}

function core({ x, y, width }: Room): Shape {
  const stairs = [
    rect(x + 24, y + 30, 112, 190, `fill="${fill}" stroke="${line}" stroke-width="1.8"`, 0),
    stroke(
      steps(y + 46, y + 206, 14)
        .map((at) => `M${x + 24} ${at}h112`)
        .join(''),
      soft,
    ),
    stroke(`M${x + 80} ${y + 30}v190`, line),
    stroke(`M${x + 52} ${y + 206}V${y + 52}l-7 10m7 -10l7 10`, '#7f8b98', 2),
  ];
  const lift = (top: number): Shape =>
    rect(x + 160, top, 62, 72, `fill="#eef1f4" stroke="${line}" stroke-width="2"`, 0) +
    stroke(`M${x + 160} ${top}l62 72M${x + 222} ${top}l-62 72`, soft);
  const toilets = steps(y + 36, y + 186, 50).map(
    (top) => box(x + width - 62, top, 16, 26, fill, 2) + circle(x + width - 34, top + 13, 11),
  );
  const walls = stroke(
    `M${x + width - 74} ${y + 8}v216M${steps(y + 74, y + 174, 50)
      .map((top) => `${x + width - 74} ${top}h66`)
      .join('M')}`,
    line,
    2,
  );
  const basins = steps(y + 252, y + 288, 36).map((top) => circle(x + width - 26, top, 11));
  return [...stairs, lift(y + 30), lift(y + 118), ...toilets, walls, ...basins].join('');
}

function server({ x, y, width, height }: Room): Shape {
  const racks = [x + 34, x + width - 78].flatMap((left) =>
    steps(y + 44, y + height - 136, 44).map(
      (top) =>
        box(left, top, 44, 40, '#e6ebf0', 1) +
        stroke(`M${left + 8} ${top + 12}h28M${left + 8} ${top + 20}h28`, line),
    ),
  );
  const cooling = box(x + width / 2 - 34, y + 14, 68, 18, '#dfeaf3', 2);
  return racks.join('') + cooling;
}

function warehouse({ x, y, width, height }: Room): Shape {
  const shelves = steps(x + 34, x + width - 70, 72).map((left) => {
    const bays = steps(y + 40, y + height - 190, 36).map((top) => `M${left} ${top}h34`);
    return box(left, y + 26, 34, height - 176, wood, 0) + stroke(bays.join(''), line);
  });
  const pallet = (left: number, top: number): Shape =>
    box(left, top, 46, 40, wood, 1) + stroke(`M${left} ${top + 13}h46M${left} ${top + 27}h46`, line);
  return (
    shelves.join('') +
    pallet(x + 40, y + height - 96) +
    pallet(x + 96, y + height - 96) +
    pallet(x + 232, y + height - 96)
  );
}

function dock({ x, y, width, height }: Room): Shape {
  const pallet = (left: number, top: number): Shape =>
    box(left, top, 44, 38, wood, 1) + stroke(`M${left} ${top + 12}h44M${left} ${top + 25}h44`, line);
  const hatch = steps(0, 7, 1).map((index) => `M${x + width - 66} ${y + 92 + index * 12}l34 -12`);
  const truck = rect(
    x + width - 84,
    y + 212,
    46,
    62,
    `fill="${fill}" stroke="${line}" stroke-width="1.6"`,
    4,
  );
  return [
    pallet(x + 34, y + 60),
    pallet(x + 90, y + 60),
    pallet(x + 34, y + 112),
    pallet(x + 34, y + height - 120),
    stroke(hatch.join(''), '#e0c98b', 4),
    truck,
    stroke(`M${x + width - 76} ${y + 274}v20M${x + width - 46} ${y + 274}v20`, line, 3),
  ].join('');
}

function control({ x, y, width }: Room): Shape {
  const desk = `<path d="M${x + 40} ${y + 130}h${width - 80}v34h-${width - 114}v96h-34z" fill="${wood}" stroke="${line}" stroke-width="1.8"/>`;
  const wall = stroke(
    steps(x + 50, x + width - 70, 42)
      .map((left) => `M${left} ${y + 84}h32`)
      .join(''),
    '#7f8b98',
    4,
  );
  const screens = stroke(
    `M${x + 64} ${y + 140}h30M${x + 104} ${y + 140}h30M${x + 144} ${y + 140}h22`,
    '#7f8b98',
    2.4,
  );
  return desk + wall + screens + chair(x + 106, y + 184) + chair(x + 150, y + 184) + chair(x + 94, y + 232);
}

function kitchen({ x, y, width, height }: Room): Shape {
  const counter = box(x + 16, y + height - 46, width - 32, 30, '#eef1f4', 3);
  const hobs = [0, 1, 2, 3].map((i) =>
    circle(x + 40 + (i % 2) * 20, y + height - 38 + Math.floor(i / 2) * 14, 5),
  );
  const table = (cx: number, cy: number): Shape =>
    [
      chair(cx - 34, cy),
      chair(cx + 34, cy),
      chair(cx, cy - 34),
      chair(cx, cy + 34),
      circle(cx, cy, 24, wood),
    ].join('');
  const tables = [
    [70, 150],
    [width - 70, 150],
    [width / 2, 212],
  ].map(([dx = 0, dy = 0]) => table(x + dx, y + dy));
  return counter + hobs.join('') + tables.join('') + plant(x + 26, y + 60) + plant(x + width - 26, y + 60);
}

function archive({ x, y, width, height }: Room): Shape {
  return steps(y + 44, y + height - 130, 46)
    .map((top) => {
      const bays = steps(x + 44, x + width - 60, 20).map((left) => `M${left} ${top}v26`);
      return box(x + 26, top, width - 52, 26, wood, 0) + stroke(bays.join(''), soft);
    })
    .join('');
}

function executive({ x, y, width, height }: Room): Shape {
  const desk =
    box(x + 50, y + 66, 110, 44, wood, 6) +
    chair(x + 104, y + 46) +
    chair(x + 84, y + 130) +
    chair(x + 124, y + 130);
  const [cx, cy] = [x + width - 84, y + height - 130];
  const seats = steps(0, 300, 60).map((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    return chair(cx + Math.cos(angle) * 54, cy + Math.sin(angle) * 54);
  });
  const shelf = box(x + 16, y + 150, 20, 150, wood, 0);
  return desk + seats.join('') + circle(cx, cy, 38, wood) + shelf + plant(x + width - 30, y + 32, 15);
}

function workshop({ x, y, width, height }: Room): Shape {
  const bench = (top: number): Shape =>
    box(x + 50, top, width - 100, 38, wood, 2) +
    steps(x + 80, x + width - 80, 46)
      .map((left) => chair(left, top + 54))
      .join('');
  return bench(y + 50) + bench(y + 164) + box(x + 16, y + 50, 20, height - 160, '#e6ebf0', 1);
}

const drawers: Readonly<Record<Furniture, (room: Room) => Shape>> = {
  open_office: openOffice,
  meeting,
  lobby,
  core,
  server,
  warehouse,
  dock,
  control,
  kitchen,
  archive,
  executive,
  workshop,
  corridor: ({ x, y, width, height }) => stroke(`M${x + 40} ${y + height / 2}h${width - 80}`, '#e4e8ec', 1.2),
};

/** The furniture of a room as SVG elements. */
export const furnish = (room: Room): string => drawers[room.furniture](room);
