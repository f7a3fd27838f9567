import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centreOn, fitView, keepInSight, toPlace, zoomAt } from './plan-view.ts';

const plan = { width: 1_600, height: 1_000 };
const stage = { width: 800, height: 600 };

describe('looking at a plan', () => {
  it('shows the whole plan in the middle', () => {
    const view = fitView(plan, stage);
    expect(plan.width * view.scale).toBeLessThanOrEqual(stage.width);
    expect(plan.height * view.scale).toBeLessThanOrEqual(stage.height);
    expect(view.x + (plan.width * view.scale) / 2).toBeCloseTo(stage.width / 2);
  });

  it('keeps the point under the pointer while zooming', () => {
    const view = fitView(plan, stage);
    const at = { x: 300, y: 200 };
    const before = toPlace(view, plan, at);
    expect(toPlace(zoomAt(view, 2, at, 0.1), plan, at)).toEqual(before);
  });

  it('never loses the plan, wherever it is dragged', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -9_999, max: 9_999 }),
        fc.integer({ min: -9_999, max: 9_999 }),
        (x, y) => {
          const view = keepInSight({ scale: 0.5, x, y }, plan, stage);
          expect(view.x).toBeLessThan(stage.width);
          expect(view.x + plan.width * view.scale).toBeGreaterThan(0);
          expect(view.y).toBeLessThan(stage.height);
          expect(view.y + plan.height * view.scale).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('gives places as fractions inside the plan, also when dropped beside it', () => {
    const view = fitView(plan, stage);
    expect(toPlace(view, plan, { x: -500, y: 9_000 })).toEqual({ x: 0, y: 1 });
    expect(toPlace(view, plan, { x: stage.width / 2, y: stage.height / 2 })).toEqual({ x: 0.5, y: 0.5 });
  });

  it('centres on a place, and shows no empty room at the edge of the plan', () => {
    const middle = centreOn({ x: 0.5, y: 0.5 }, 1, plan, stage);
    expect(middle).toEqual({ scale: 1, x: -400, y: -200 });
    expect(centreOn({ x: 1, y: 1 }, 1, plan, stage)).toEqual({ scale: 1, x: -800, y: -400 });
    expect(centreOn({ x: 0, y: 0 }, 1, plan, stage)).toEqual({ scale: 1, x: 0, y: 0 });
  });
});
