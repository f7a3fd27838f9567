import { fakeRandom } from '@siphera/testkit';
import { describe, expect, test } from 'vitest';
import { passages, rooms } from './building.ts';
import { outside, people, planDay, route } from './people.ts';

describe('the people of the lab', () => {
  test('everybody finds a way to every place of a day, and home', () => {
    const random = fakeRandom(7);
    for (const who of people) {
      let at = outside;
      for (const { to } of planDay(who, random)) {
        const steps = route(at, to, who.entrance);
        expect(steps.length > 0 || at === to).toBe(true);
        at = to;
      }
    }
  });

  test('a way goes through doors that are there, and in and out only by the own entrance', () => {
    const steps = route(outside, 'engineering', 'lab-door-2');
    expect(steps[0]).toEqual({ to: 'corridor_ground', door: 'lab-door-2', inward: true });
    expect(steps.at(-1)).toEqual({ to: 'engineering', door: 'lab-door-7', inward: true });
    const back = route('engineering', outside, 'lab-door-2');
    expect(back.at(-1)).toEqual({ to: outside, door: 'lab-door-2', inward: false });
  });

  test('every place is a room of the building', () => {
    const known = new Set([outside, ...rooms.map((room) => room.key)]);
    const named = Object.values(passages).flatMap(({ from, to }) => [from, to]);
    expect(named.filter((place) => !known.has(place))).toEqual([]);
  });

  test('a day is in order', () => {
    const random = fakeRandom(3);
    for (const who of people) {
      const minutes = planDay(who, random).map((errand) => errand.minute);
      expect(minutes).toEqual([...minutes].sort((a, b) => a - b));
    }
  });
});
