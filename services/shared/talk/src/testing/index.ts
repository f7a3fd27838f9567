/** For load and benchmarks: an engine at a real box, without a browser. */
export { BoxProfile } from './box-place.ts';
