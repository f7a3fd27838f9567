/** Who works in the building, and what a day of each looks like. Pure: chance comes in. */
import type { Random } from '@siphera/runtime';
import { passages } from './building.ts';

export type Person = {
  name: string;
  badge: string;
  /** Where the person's desk is. */
  home: string;
  entrance: 'lab-door-1' | 'lab-door-2' | 'lab-door-3';
  role: 'staff' | 'cleaner' | 'patrol';
};
export type Errand = { minute: number; to: string };
export const minutesPerDay = 24 * 60;
export const outside = 'outside';

const staff: readonly [string, string, Person['entrance']][] = [
  ['Mara Lindqvist', 'engineering', 'lab-door-1'],
  ['Jonas Weber', 'engineering', 'lab-door-2'],
  ['Priya Raman', 'engineering', 'lab-door-1'],
  ['Tomasz Nowak', 'engineering', 'lab-door-2'],
  ['Lea Fischer', 'engineering', 'lab-door-1'],
  ['Daniel Okafor', 'engineering', 'lab-door-1'],
  ['Hannah Vogel', 'service', 'lab-door-2'],
  ['Marco Rossi', 'service', 'lab-door-1'],
  ['Sofia Petrova', 'service', 'lab-door-1'],
  ['Felix Brandt', 'service', 'lab-door-2'],
  ['Amina Yusuf', 'service', 'lab-door-1'],
  ['Clara Novak', 'sales', 'lab-door-1'],
  ['Peter Holzer', 'sales', 'lab-door-1'],
  ['Ines Carvalho', 'sales', 'lab-door-2'],
  ['David Stein', 'sales', 'lab-door-1'],
  ['Yuki Tanaka', 'sales', 'lab-door-1'],
  ['Eva Hartmann', 'management', 'lab-door-1'],
  ['Robert Klein', 'management', 'lab-door-1'],
  ['Omar Haddad', 'warehouse', 'lab-door-3'],
  ['Stefan Gruber', 'warehouse', 'lab-door-3'],
  ['Nina Kraus', 'dock', 'lab-door-3'],
  ['Lukas Maier', 'lobby', 'lab-door-1'],
];

export const people: readonly Person[] = [
  ...staff.map(([name, home, entrance], index) => person(index, { name, home, entrance, role: 'staff' })),
  person(90, { name: 'Elena Popescu', home: 'lobby', entrance: 'lab-door-2', role: 'cleaner' }),
  person(91, { name: 'Night patrol', home: 'control', entrance: 'lab-door-2', role: 'patrol' }),
];

function person(index: number, rest: Omit<Person, 'badge'>): Person {
  return { ...rest, badge: `LAB-${String(10_001 + index * 37)}` };
}

const around = (random: Random, minute: number, spread: number): number =>
  Math.round(minute + (random.fraction() + random.fraction() - 1) * spread);
const pick = <T>(random: Random, list: readonly T[]): T | undefined =>
  list[Math.floor(random.fraction() * list.length)];

const trips = [
  'kitchen',
  'meeting_elbe',
  'meeting_rhine',
  'meeting_danube',
  'workshop',
  'archive',
  'server',
  'lobby',
];

/** One person's errands of a day, in order; each is a place to go to at a minute of the day. */
export function planDay(who: Person, random: Random): Errand[] {
  const errands = { staff: staffDay, cleaner: cleanerDay, patrol: patrolNight }[who.role](who, random);
  return errands.sort((a, b) => a.minute - b.minute);
}

function staffDay({ home }: Person, random: Random): Errand[] {
  const arrives = around(random, 8 * 60 + 20, 50);
  const leaves = around(random, 17 * 60 + 10, 70);
  const lunch = around(random, 12 * 60 + 20, 35);
  const back = lunch + 25 + Math.round(random.fraction() * 25);
  const errands: Errand[] = [
    { minute: arrives, to: home },
    { minute: lunch, to: random.fraction() < 0.35 ? outside : 'kitchen' },
    { minute: back, to: home },
    { minute: leaves, to: outside },
  ];
  for (let count = 2 + Math.floor(random.fraction() * 4); count > 0; count -= 1) {
    const minute = Math.round(arrives + 20 + random.fraction() * (leaves - arrives - 60));
    // Lunch is nobody's meeting.
    if (minute > lunch - 20 && minute < back) continue;
    errands.push(
      { minute, to: pick(random, trips) ?? home },
      { minute: minute + 8 + Math.round(random.fraction() * 20), to: home },
    );
  }
  return errands;
}

function cleanerDay(_who: Person, random: Random): Errand[] {
  const start = around(random, 19 * 60 + 30, 10);
  const round = ['lobby', 'service', 'control', 'kitchen', 'engineering', 'sales', 'management'];
  return [
    ...round.map((to, index) => ({ minute: start + index * 14, to })),
    { minute: start + round.length * 14, to: outside },
  ];
}

/** In at ten, a round every two hours that ends in the control room, out at six. */
function patrolNight(_who: Person, random: Random): Errand[] {
  const round = ['dock', 'warehouse', 'server', 'engineering', 'archive', 'sales', 'lobby', 'control'];
  const starts = [22 * 60, 0, 2 * 60, 4 * 60];
  const walks = starts.flatMap((start) => {
    const from = Math.abs(around(random, start, 8));
    return round.map((to, index) => ({ minute: from + index * 4, to }));
  });
  return [...walks, { minute: 6 * 60, to: outside }];
}

/** Ways between places that have no door of their own on the box. */
const openWays: readonly (readonly [string, string])[] = [
  ['lobby', 'corridor_ground'],
  ['control', 'corridor_ground'],
  ['warehouse', 'corridor_ground'],
  ['meeting_rhine', 'corridor_ground'],
  ['meeting_elbe', 'corridor_ground'],
  ['core_ground', 'corridor_ground'],
  ['core_ground', 'core_first'],
  ['core_first', 'corridor_first'],
  ['meeting_danube', 'corridor_first'],
  ['workshop', 'corridor_first'],
  ['kitchen', 'corridor_first'],
  ['sales', 'corridor_first'],
];

export type Step = { to: string; door: string | undefined; inward: boolean };
type Way = { a: string; b: string; door: string | undefined };
const ways: readonly Way[] = [
  ...openWays.map(([a, b]) => ({ a, b, door: undefined })),
  ...Object.entries(passages).map(([door, { from, to }]) => ({ a: from, b: to, door })),
];

/** The shortest way from one place to another; people use only their own entrance. Empty when already there. */
export function route(from: string, to: string, entrance: string): Step[] {
  const seen = new Map<string, Step[]>([[from, []]]);
  const queue = [from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    const so = seen.get(at) ?? [];
    if (at === to) return so;
    for (const way of ways) {
      if (way.a !== at && way.b !== at) continue;
      if ((way.a === outside || way.b === outside) && way.door !== entrance) continue;
      const next = way.a === at ? way.b : way.a;
      if (seen.has(next)) continue;
      seen.set(next, [...so, { to: next, door: way.door, inward: way.a === at }]);
      queue.push(next);
    }
  }
  return [];
}
