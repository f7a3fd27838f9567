/** Bounds of the test kit: generous, because two cores are shared by every daemon of a run; never relied on for timing. */

/** How long any daemon of ours may take until it answers, cold start of Node and migrations included. */
export const startMsMax = 60_000;
/** After SIGTERM a daemon gets this long to drain before SIGKILL. */
export const stopMsMax = 30_000;
/** How often a condition is looked at again while waiting for it. */
export const pollMs = 25;
/** Output kept per daemon: enough for a stack trace and its context, never a whole load test. */
export const logCharsMax = 256 * 1024;
/** One REST call of a test; a hung server must fail the test that hung it, not the whole run. */
export const callMsMax = 60_000;
/** Frames kept by a console; a load test counts instead of keeping. */
export const framesMax = 50_000;
