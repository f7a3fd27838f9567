/** The agent as a library: for the lab, which runs several in one process, and for drivers written in TypeScript. */
export { type Agent, startAgent } from './agent.ts';
export { parseConfig } from './config.ts';
export { systemClock } from './domain/clock.ts';
export type { CommandOutcome, Driver, DriverPort } from './domain/driver.ts';
export { systemRandom } from './domain/random.ts';
export { enrol } from './enrol/enrol.ts';
export { type Identity, readIdentity } from './enrol/identity.ts';
export { createLog } from './log.ts';
