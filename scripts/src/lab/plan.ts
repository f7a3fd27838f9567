/** Draws a floor of the lab's building as an architect's plan, in SVG. */
import { type Doorway, type FloorKey, doorways, planSize, type Room, rooms, shell } from './building.ts';
import { furnish, rect } from './plan-furniture.ts';
import { lettering } from './plan-lettering.ts';

const wall = '#2d3844';
const label = '#55616e';
const glass = '#8db3d3';
const paper = '#f3f1ec';
const ground = '#e7ebe2';

const tints: Readonly<Record<string, string>> = {
  open_office: '#fafbfd',
  meeting: '#f7f9fc',
  lobby: '#fdfaf4',
  corridor: '#fcfcfb',
  core: '#f4f5f6',
  server: '#f1f5f9',
  warehouse: '#f8f7f3',
  dock: '#f6f5f1',
  control: '#f5f8fb',
  kitchen: '#fcfaf5',
  archive: '#f8f7f3',
  executive: '#fbfaf7',
  workshop: '#f8f9fa',
};
/** Half a doorway, in plan units. */
const doorHalf = 22;
const wideHalf = 38;

/** The plan of one floor. No text and no fonts in it: every mark is a path. */
export function drawPlan(floor: FloorKey): string {
  const own = rooms.filter((room) => room.floor === floor);
  const openings = doorways.filter((doorway) => doorway.floor === floor);
  const { width, height } = planSize;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    rect(0, 0, width, height, `fill="${paper}"`, 0),
    floor === 'ground' ? grounds() : terrace(),
    rect(shell.x + 8, shell.y + 10, shell.width, shell.height, 'fill="#000" opacity="0.07"', 0),
    ...own.map((room) =>
      rect(room.x, room.y, room.width, room.height, `fill="${tints[room.furniture] ?? '#fff'}"`, 0),
    ),
    ...own.map(furnish),
    ...own.map((room) =>
      rect(room.x, room.y, room.width, room.height, `fill="none" stroke="${wall}" stroke-width="6"`, 0),
    ),
    rect(shell.x, shell.y, shell.width, shell.height, `fill="none" stroke="${wall}" stroke-width="14"`, 0),
    windows(openings),
    ...openings.map(drawDoorway),
    ...own.map(drawLabel),
    legend(floor),
    '</svg>',
  ].join('\n');
}

function drawDoorway({ x, y, wall: direction, swing, wide }: Doorway): string {
  const half = wide ? wideHalf : doorHalf;
  const flat = direction === 'h';
  const gap = flat
    ? rect(x - half, y - 8, half * 2, 16, 'fill="#fdfdfc"', 0)
    : rect(x - 8, y - half, 16, half * 2, 'fill="#fdfdfc"', 0);
  const leaf = (hinge: number, toward: number, reach: number): string => {
    const sweep = flat ? (toward * swing > 0 ? 0 : 1) : toward * swing > 0 ? 1 : 0;
    const [hx, hy] = flat ? [x + hinge, y] : [x, y + hinge];
    const [ox, oy] = flat ? [hx, hy + swing * reach] : [hx + swing * reach, hy];
    const [cx, cy] = flat ? [hx + toward * reach, hy] : [hx, hy + toward * reach];
    return `<path d="M${hx} ${hy}L${ox} ${oy}" stroke="${wall}" stroke-width="3.4" fill="none"/><path d="M${ox} ${oy}A${reach} ${reach} 0 0 ${sweep} ${cx} ${cy}" stroke="${label}" stroke-width="1.2" fill="none" stroke-dasharray="3 3"/>`;
  };
  const leaves = wide ? leaf(-half, 1, half) + leaf(half, -1, half) : leaf(-half, 1, half * 2);
  const posts = flat
    ? `M${x - half} ${y - 7}v14M${x + half} ${y - 7}v14`
    : `M${x - 7} ${y - half}h14M${x - 7} ${y + half}h14`;
  return `${gap}${leaves}<path d="${posts}" stroke="${wall}" stroke-width="4"/>`;
}

/** A band of windows along each outside wall, never across a doorway. */
function windows(openings: readonly Doorway[]): string {
  const panes: string[] = [];
  const free = (x: number, y: number): boolean =>
    openings.every((opening) => Math.hypot(opening.x - x, opening.y - y) > 84);
  for (let x = shell.x + 70; x < shell.x + shell.width - 40; x += 90) {
    for (const y of [shell.y, shell.y + shell.height])
      if (free(x, y)) panes.push(pane(x - 30, y - 7, 60, 14));
  }
  for (let y = shell.y + 70; y < shell.y + shell.height - 40; y += 90) {
    for (const x of [shell.x, shell.x + shell.width]) if (free(x, y)) panes.push(pane(x - 7, y - 30, 14, 60));
  }
  return panes.join('');
}

function pane(x: number, y: number, width: number, height: number): string {
  const flat = width > height;
  const middle = flat ? `M${x} ${y + height / 2}h${width}` : `M${x + width / 2} ${y}v${height}`;
  return `${rect(x, y, width, height, `fill="#eef5fa" stroke="${wall}" stroke-width="1.4"`, 0)}<path d="${middle}" stroke="${glass}" stroke-width="3"/>`;
}

function drawLabel(room: Room): string {
  const size = room.furniture === 'corridor' ? 11 : 13;
  const x = labelX(room);
  const y = labelY(room);
  const width = room.name.length * size * 0.94 + 22;
  return `${rect(x - width / 2, y - size, width, size * 2, 'fill="#ffffff" opacity="0.86"', 4)}<path d="${lettering(room.name, x, y, size)}" fill="none" stroke="${label}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** In the middle, but for the corridor with its detectors and the lobby with its entrance. */
function labelX(room: Room): number {
  if (room.furniture === 'corridor') return room.x + room.width * 0.36;
  return room.x + room.width * (room.furniture === 'lobby' ? 0.72 : 0.5);
}

/** Clear of the furniture and of the swing of doors, which are all on the corridor's side. */
function labelY(room: Room): number {
  if (room.furniture === 'corridor') return room.y + room.height / 2;
  if (room.furniture === 'kitchen') return room.y + 88;
  if (room.furniture === 'lobby') return room.y + 76;
  if (room.furniture === 'warehouse') return room.y + room.height - 126;
  return room.y + room.height - (room.y + room.height <= 470 ? 72 : 28);
}

/** Lawn, path, parking and trees around the ground floor. */
function grounds(): string {
  const tree = (x: number, y: number, r: number): string =>
    `<circle cx="${x}" cy="${y}" r="${r}" fill="#cfdec9" stroke="#a9c0a1" stroke-width="1.6"/><circle cx="${x - r * 0.2}" cy="${y - r * 0.2}" r="${r * 0.45}" fill="#bcd1b4"/>`;
  const bays = Array.from({ length: 9 }, (_, index) => `M${170 + index * 56} 912v66`).join('');
  const yard = rect(1_514, 590, 62, 320, 'fill="#e4e3de"', 0);
  return [
    rect(24, 24, 1_552, 952, `fill="${ground}"`, 18),
    rect(1_514, 590, 62, 386, 'fill="#dedcd6"', 0),
    yard,
    rect(750, 880, 100, 96, 'fill="#f3efe6"', 0),
    rect(140, 908, 530, 68, 'fill="#dedcd6"', 6),
    `<path d="${bays}" stroke="#fff" stroke-width="3"/>`,
    tree(62, 200, 26),
    tree(58, 330, 20),
    tree(64, 700, 24),
    tree(400, 70, 22),
    tree(560, 66, 26),
    tree(980, 70, 22),
    tree(1_430, 70, 22),
    tree(1_548, 250, 24),
    tree(1_546, 420, 20),
    tree(1_000, 930, 22),
    tree(1_180, 936, 26),
    tree(1_390, 932, 22),
  ].join('');
}

/** Seen from above, the first floor has the canopy of the entrance and the flat roof of the dock before it. */
function terrace(): string {
  const slabs = Array.from({ length: 6 }, (_, index) => `M${690 + index * 36} 894v60`).join('');
  return `${rect(24, 24, 1_552, 952, 'fill="#eceae4"', 18)}${rect(672, 888, 256, 68, 'fill="#f7f5f0" stroke="#cfcbc2" stroke-width="2"', 4)}<path d="${slabs}" stroke="#dcd8cf" stroke-width="1.6"/>`;
}

function legend(floor: FloorKey): string {
  const name = floor === 'ground' ? 'Ground floor' : 'First floor';
  const title = `<path d="${lettering(name, 226, 74, 20)}" fill="none" stroke="${wall}" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>`;
  const north = `<g transform="translate(1516 76)"><circle r="24" fill="#fff" stroke="${label}" stroke-width="2"/><path d="M0 -19L8 12L0 6L-8 12Z" fill="${wall}"/></g>`;
  const bars = [0, 1, 2, 3].map((index) =>
    rect(
      1_150 + index * 50,
      92,
      50,
      7,
      `fill="${index % 2 ? '#fff' : label}" stroke="${label}" stroke-width="1.4"`,
      0,
    ),
  );
  const scale = `<path d="${lettering('0', 1_150, 78, 10)}${lettering('10', 1_250, 78, 10)}${lettering('20 m', 1_356, 78, 10)}" fill="none" stroke="${label}" stroke-width="1.5" stroke-linecap="round"/>`;
  return title + north + bars.join('') + scale;
}
