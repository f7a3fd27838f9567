/** A part of the picture, enlarged: pure geometry. Offsets are in parts of the tile, so that a resize keeps the view. */
export type ZoomView = { scale: number; x: number; y: number };

export const wholePicture: ZoomView = { scale: 1, x: 0, y: 0 };
const scaleMax = 8;

/** The view stays inside the picture. */
function bounded({ scale, x, y }: ZoomView): ZoomView {
  const limit = scale - 1;
  if (limit === 0) return wholePicture;
  return { scale, x: Math.min(0, Math.max(-limit, x)), y: Math.min(0, Math.max(-limit, y)) };
}

/** Enlarges around a point (0–1 across the tile), which stays where it is. */
export function zoomAt(view: ZoomView, factor: number, atX: number, atY: number): ZoomView {
  const scale = Math.min(scaleMax, Math.max(1, view.scale * factor));
  const grown = scale / view.scale;
  return bounded({ scale, x: atX - (atX - view.x) * grown, y: atY - (atY - view.y) * grown });
}

export const panBy = (view: ZoomView, dx: number, dy: number): ZoomView =>
  bounded({ ...view, x: view.x + dx, y: view.y + dy });

export const zoomStyle = ({ scale, x, y }: ZoomView): { transform: string } => ({
  transform: `translate(${String(x * 100)}%, ${String(y * 100)}%) scale(${String(scale)})`,
});
