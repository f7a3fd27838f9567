/** The agent as a library: for the lab, which runs several in one process, and for drivers written in TypeScript. */
export { type Agent, type AgentOptions, type AgentStats, startAgent } from './agent.ts';
export { AgentConfig, parseConfig } from './config.ts';
export { type Clock, systemClock } from './domain/clock.ts';
export type { CommandOutcome, Driver, DriverEvent, DriverPort, DriverState } from './domain/driver.ts';
export { type Random, systemRandom } from './domain/random.ts';
export type { Trust } from './enrol/box-trust.ts';
export { enrol } from './enrol/enrol.ts';
export { type Child, type Identity, readIdentity } from './enrol/identity.ts';
export { createLog, type Log } from './log.ts';
