/** Geometry of looking at a plan: pan, zoom and place, in pixels of the stage. Pure. */

export type Size = { width: number; height: number };
export type Point = { x: number; y: number };
/** Plan pixel p is drawn at `p * scale + offset`. */
export type View = { scale: number; x: number; y: number };

const scaleMax = 6;
const margin = 24;

/** The whole plan in the middle of the stage. */
export function fitView(plan: Size, stage: Size): View {
  const scale = Math.min(
    (stage.width - 2 * margin) / plan.width,
    (stage.height - 2 * margin) / plan.height,
    scaleMax,
  );
  const safe = Math.max(scale, 0.02);
  return {
    scale: safe,
    x: (stage.width - plan.width * safe) / 2,
    y: (stage.height - plan.height * safe) / 2,
  };
}

/** Zooms by a factor and keeps the point of the stage under the pointer where it is. */
export function zoomAt(view: View, factor: number, at: Point, scaleMin: number): View {
  const scale = Math.min(scaleMax, Math.max(scaleMin, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

/** Keeps at least a part of the plan on the stage, so that it cannot be lost. */
export function keepInSight(view: View, plan: Size, stage: Size): View {
  const seen = 80;
  const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
  return {
    scale: view.scale,
    x: clamp(view.x, seen - plan.width * view.scale, stage.width - seen),
    y: clamp(view.y, seen - plan.height * view.scale, stage.height - seen),
  };
}

/** A point of the stage as fractions of the plan, inside it. */
export function toPlace(view: View, plan: Size, at: Point): Point {
  const inside = (value: number): number => Math.min(1, Math.max(0, Math.round(value * 10_000) / 10_000));
  return {
    x: inside((at.x - view.x) / view.scale / plan.width),
    y: inside((at.y - view.y) / view.scale / plan.height),
  };
}

/** Centres the stage on a place (fractions of the plan) at a scale; at the plan's edge no empty room is shown. */
export function centreOn(place: Point, scale: number, plan: Size, stage: Size): View {
  return {
    scale,
    x: alongAxis(place.x, plan.width * scale, stage.width),
    y: alongAxis(place.y, plan.height * scale, stage.height),
  };
}

function alongAxis(fraction: number, drawn: number, room: number): number {
  if (drawn <= room) return (room - drawn) / 2;
  return Math.min(0, Math.max(room - drawn, room / 2 - fraction * drawn));
}
