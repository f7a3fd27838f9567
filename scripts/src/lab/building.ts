/**
 * The lab's building: two floors of an office with a loading dock, as data. Coordinates are the plan's own, 1600 × 1000.
 * What must stay true: external ids never change, because a second run finds the building again by them.
 */
import type { DeviceKind } from '@siphera/contract';

export const planSize = { width: 1_600, height: 1_000 } as const;
/** Outside walls, the same on both floors. */
export const shell = { x: 100, y: 120, width: 1_400, height: 760 } as const;

export type FloorKey = 'ground' | 'first';
export type Furniture =
  | 'lobby'
  | 'open_office'
  | 'meeting'
  | 'server'
  | 'warehouse'
  | 'dock'
  | 'control'
  | 'core'
  | 'kitchen'
  | 'archive'
  | 'executive'
  | 'workshop'
  | 'corridor';
export type Room = {
  key: string;
  floor: FloorKey;
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  furniture: Furniture;
};
/** A doorway on the plan; `swing` says on which wall side the leaf opens. */
export type Doorway = {
  floor: FloorKey;
  x: number;
  y: number;
  wall: 'h' | 'v';
  swing: 1 | -1;
  wide?: boolean;
};
export type LabDevice = {
  id: string;
  kind: DeviceKind;
  name: string;
  room: string;
  x: number;
  y: number;
  controller?: string;
  tags: string[];
};

const room = (
  floor: FloorKey,
  key: string,
  name: string,
  [x, y, width, height]: [number, number, number, number],
  furniture: Furniture,
): Room => ({ floor, key, name, x, y, width, height, furniture });

export const floors = [
  { key: 'ground', name: 'Ground floor', level: 0 },
  { key: 'first', name: 'First floor', level: 1 },
] as const;

export const rooms: readonly Room[] = [
  room('ground', 'meeting_rhine', 'Meeting Rhine', [100, 120, 250, 350], 'meeting'),
  room('ground', 'meeting_elbe', 'Meeting Elbe', [350, 120, 290, 350], 'meeting'),
  room('ground', 'core_ground', 'Stairs and lifts', [640, 120, 320, 350], 'core'),
  room('ground', 'server', 'Server room', [960, 120, 220, 350], 'server'),
  room('ground', 'warehouse', 'Warehouse', [1_180, 120, 320, 440], 'warehouse'),
  room('ground', 'corridor_ground', 'Corridor', [100, 470, 1_080, 90], 'corridor'),
  room('ground', 'service', 'Customer service', [100, 560, 540, 320], 'open_office'),
  room('ground', 'lobby', 'Lobby', [640, 560, 320, 320], 'lobby'),
  room('ground', 'control', 'Control room', [960, 560, 220, 320], 'control'),
  room('ground', 'dock', 'Loading dock', [1_180, 560, 320, 320], 'dock'),
  room('first', 'meeting_danube', 'Meeting Danube', [100, 120, 250, 350], 'meeting'),
  room('first', 'workshop', 'Workshop', [350, 120, 290, 350], 'workshop'),
  room('first', 'core_first', 'Stairs and lifts', [640, 120, 320, 350], 'core'),
  room('first', 'archive', 'Archive', [960, 120, 220, 350], 'archive'),
  room('first', 'management', 'Management', [1_180, 120, 320, 350], 'executive'),
  room('first', 'corridor_first', 'Corridor', [100, 470, 1_400, 90], 'corridor'),
  room('first', 'engineering', 'Engineering', [100, 560, 540, 320], 'open_office'),
  room('first', 'kitchen', 'Canteen', [640, 560, 320, 320], 'kitchen'),
  room('first', 'sales', 'Sales', [960, 560, 540, 320], 'open_office'),
];

export const doorways: readonly Doorway[] = [
  { floor: 'ground', x: 800, y: 880, wall: 'h', swing: 1, wide: true },
  { floor: 'ground', x: 100, y: 515, wall: 'v', swing: -1 },
  { floor: 'ground', x: 1_500, y: 830, wall: 'v', swing: 1 },
  { floor: 'ground', x: 1_500, y: 690, wall: 'v', swing: 1, wide: true },
  { floor: 'ground', x: 1_070, y: 470, wall: 'h', swing: -1 },
  { floor: 'ground', x: 500, y: 560, wall: 'h', swing: 1 },
  { floor: 'ground', x: 1_340, y: 560, wall: 'h', swing: -1, wide: true },
  { floor: 'ground', x: 225, y: 470, wall: 'h', swing: -1 },
  { floor: 'ground', x: 495, y: 470, wall: 'h', swing: -1 },
  { floor: 'ground', x: 720, y: 470, wall: 'h', swing: -1 },
  { floor: 'ground', x: 800, y: 560, wall: 'h', swing: 1, wide: true },
  { floor: 'ground', x: 1_070, y: 560, wall: 'h', swing: 1 },
  { floor: 'ground', x: 1_180, y: 515, wall: 'v', swing: 1 },
  { floor: 'first', x: 400, y: 560, wall: 'h', swing: 1 },
  { floor: 'first', x: 1_070, y: 470, wall: 'h', swing: -1 },
  { floor: 'first', x: 1_340, y: 470, wall: 'h', swing: -1 },
  { floor: 'first', x: 225, y: 470, wall: 'h', swing: -1 },
  { floor: 'first', x: 495, y: 470, wall: 'h', swing: -1 },
  { floor: 'first', x: 720, y: 470, wall: 'h', swing: -1 },
  { floor: 'first', x: 800, y: 560, wall: 'h', swing: 1, wide: true },
  { floor: 'first', x: 1_230, y: 560, wall: 'h', swing: 1, wide: true },
];

const [west, east, upperWest, upperEast] = ['lab-ctl-1', 'lab-ctl-2', 'lab-ctl-3', 'lab-ctl-4'] as const;

const device = (
  id: string,
  kind: DeviceKind,
  name: string,
  place: [string, number, number],
  controller?: string,
  ...tags: string[]
): LabDevice => ({
  id: `lab-${id}`,
  kind,
  name,
  room: place[0],
  x: place[1],
  y: place[2],
  ...(controller === undefined ? {} : { controller }),
  tags: ['lab', ...tags],
});

export const devices: readonly LabDevice[] = [
  device('ctl-1', 'controller', 'Controller ground west', ['core_ground', 672, 440]),
  device('ctl-2', 'controller', 'Controller ground east', ['control', 1_150, 590]),
  device('ctl-3', 'controller', 'Controller first west', ['core_first', 672, 440]),
  device('ctl-4', 'controller', 'Controller first east', ['archive', 1_150, 150]),
  device('panel-1', 'panel', 'Intrusion panel', ['control', 1_150, 790], undefined, 'dc09'),

  device('door-1', 'door', 'Main entrance', ['lobby', 800, 880], west, 'perimeter'),
  device('door-2', 'door', 'Staff entrance', ['corridor_ground', 100, 515], west, 'perimeter'),
  device('door-3', 'door', 'Loading dock door', ['dock', 1_500, 830], east, 'perimeter'),
  device('door-4', 'door', 'Server room door', ['server', 1_070, 470], east, 'critical'),
  device('door-5', 'door', 'Customer service door', ['service', 500, 560], west),
  device('door-6', 'door', 'Warehouse door', ['warehouse', 1_340, 560], east),
  device('door-7', 'door', 'Engineering door', ['engineering', 400, 560], upperWest),
  device('door-8', 'door', 'Archive door', ['archive', 1_070, 470], upperEast, 'critical'),
  device('door-9', 'door', 'Management door', ['management', 1_340, 470], upperEast),

  device('reader-1', 'reader', 'Reader main entrance', ['lobby', 858, 850], west),
  device('reader-2', 'reader', 'Reader staff entrance', ['corridor_ground', 135, 548], west),
  device('reader-3', 'reader', 'Reader loading dock', ['dock', 1_440, 862], east),
  device('reader-4', 'reader', 'Reader server room', ['corridor_ground', 1_118, 492], east),
  device('reader-5', 'reader', 'Reader customer service', ['corridor_ground', 548, 540], west),
  device('reader-6', 'reader', 'Reader engineering', ['corridor_first', 448, 540], upperWest),
  device('reader-7', 'reader', 'Reader archive', ['corridor_first', 1_118, 492], upperEast),

  device('motion-1', 'motion', 'Motion lobby', ['lobby', 930, 590], west),
  device('motion-2', 'motion', 'Motion corridor ground', ['corridor_ground', 610, 515], west),
  device('motion-3', 'motion', 'Motion warehouse', ['warehouse', 1_466, 152], east),
  device('motion-4', 'motion', 'Motion engineering', ['engineering', 132, 848], upperWest),
  device('motion-5', 'motion', 'Motion corridor first', ['corridor_first', 900, 515], upperWest),
  device('motion-6', 'motion', 'Motion sales', ['sales', 1_466, 848], upperEast),

  device('smoke-1', 'smoke', 'Smoke server room', ['server', 1_070, 250], east, 'fire'),
  device('smoke-2', 'smoke', 'Smoke warehouse', ['warehouse', 1_340, 330], east, 'fire'),
  device('smoke-3', 'smoke', 'Smoke canteen', ['kitchen', 800, 650], upperWest, 'fire'),
  device('smoke-4', 'smoke', 'Smoke archive', ['archive', 1_070, 250], upperEast, 'fire'),
  device('smoke-5', 'smoke', 'Smoke customer service', ['service', 370, 720], west, 'fire'),

  device('glass-1', 'glass_break', 'Glass break lobby', ['lobby', 680, 850], west),
  device('glass-2', 'glass_break', 'Glass break management', ['management', 1_466, 300], upperEast),
  device('panic-1', 'panic', 'Panic button reception', ['lobby', 742, 700], west),
  device('panic-2', 'panic', 'Panic button management', ['management', 1_262, 200], upperEast),

  device('intercom-1', 'intercom', 'Intercom main entrance', ['lobby', 740, 915], west, 'perimeter'),
];

/** Not on a controller: the box speaks to a camera itself. `watches` is what it sees besides its own room. */
export type LabCamera = {
  id: string;
  name: string;
  room: string;
  x: number;
  y: number;
  watches: readonly string[];
};

const camera = (
  number: number,
  name: string,
  [place, x, y]: [string, number, number],
  ...watches: string[]
): LabCamera => ({
  id: `lab-camera-${number}`,
  name: `Camera ${name}`,
  room: place,
  x,
  y,
  watches: watches.map((id) => `lab-${id}`),
});

/** In the order in which `--cameras N` takes them. */
export const cameras: readonly LabCamera[] = [
  camera(1, 'main entrance', ['lobby', 668, 590], 'door-1', 'reader-1', 'intercom-1', 'glass-1', 'panic-1'),
  camera(2, 'loading dock', ['dock', 1_214, 850], 'door-3', 'reader-3', 'door-6', 'panel-1'),
  camera(3, 'server corridor', ['corridor_ground', 960, 492], 'door-4', 'reader-4', 'door-5', 'reader-5'),
  camera(4, 'staff entrance', ['corridor_ground', 190, 492], 'door-2', 'reader-2'),
  camera(5, 'warehouse', ['warehouse', 1_214, 150], 'door-6', 'motion-3', 'smoke-2'),
  camera(6, 'engineering door', ['corridor_first', 460, 492], 'door-7', 'reader-6'),
  camera(7, 'archive door', ['corridor_first', 1_010, 492], 'door-8', 'reader-7', 'door-9'),
  camera(8, 'customer service', ['service', 130, 590], 'door-5', 'smoke-5'),
  camera(9, 'server room', ['server', 990, 150], 'door-4', 'smoke-1'),
  camera(10, 'control room', ['control', 990, 850], 'panel-1'),
  camera(11, 'stairs ground', ['core_ground', 930, 150]),
  camera(12, 'stairs first', ['core_first', 930, 150]),
  camera(13, 'archive', ['archive', 990, 150], 'door-8', 'smoke-4'),
  camera(14, 'canteen', ['kitchen', 668, 850], 'smoke-3'),
  camera(15, 'sales', ['sales', 990, 590], 'motion-6'),
  camera(16, 'management', ['management', 1_214, 150], 'door-9', 'panic-2', 'glass-2'),
];

/** Which reader a door has, and which rooms it joins. `outside` and `stairs` are places, not areas. */
export const passages: Readonly<Record<string, { reader?: string; from: string; to: string }>> = {
  'lab-door-1': { reader: 'lab-reader-1', from: 'outside', to: 'lobby' },
  'lab-door-2': { reader: 'lab-reader-2', from: 'outside', to: 'corridor_ground' },
  'lab-door-3': { reader: 'lab-reader-3', from: 'outside', to: 'dock' },
  'lab-door-4': { reader: 'lab-reader-4', from: 'corridor_ground', to: 'server' },
  'lab-door-5': { reader: 'lab-reader-5', from: 'corridor_ground', to: 'service' },
  'lab-door-6': { from: 'dock', to: 'warehouse' },
  'lab-door-7': { reader: 'lab-reader-6', from: 'corridor_first', to: 'engineering' },
  'lab-door-8': { reader: 'lab-reader-7', from: 'corridor_first', to: 'archive' },
  'lab-door-9': { from: 'corridor_first', to: 'management' },
};

/** The motion detector that sees a room, for those that have one. */
export const motionOf: Readonly<Record<string, string>> = {
  lobby: 'lab-motion-1',
  corridor_ground: 'lab-motion-2',
  warehouse: 'lab-motion-3',
  engineering: 'lab-motion-4',
  corridor_first: 'lab-motion-5',
  sales: 'lab-motion-6',
};

export const controllerIds: readonly string[] = [west, east, upperWest, upperEast];
