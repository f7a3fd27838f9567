/** Between the agent and the hardware. A driver may live in this process, or at the other end of a socket or a pipe. */
import type { AgentCommand } from '@siphera/contract';
import type { Child } from '../enrol/identity.ts';

/** What a driver reports. `device` is the agent's own id, or the id or serial of a device behind it; absent: the agent. */
export type DriverEvent = {
  type: string;
  device?: string | undefined;
  data?: Record<string, unknown> | undefined;
  /** When it happened, RFC 3339; absent: now. */
  time?: string | undefined;
  /** The driver's own id; the same id twice is one event for the box. Absent: the agent makes one. */
  id?: string | undefined;
};
export type DriverState = {
  device?: string | undefined;
  online?: boolean | undefined;
  /** The device's own word for its state, e.g. `locked`. */
  state?: string | undefined;
};
export type CommandOutcome = { ok: boolean; state?: string | undefined; error?: string | undefined };

/** What the agent gives a driver to work with. */
export type DriverPort = {
  readonly deviceId: string;
  readonly children: readonly Child[];
  /** Resolves once the event would survive a power cut; rejects with an AgentError otherwise. */
  emit(event: DriverEvent): Promise<{ id: string; sequence: number }>;
  setState(state: DriverState): void;
};

export type Driver = {
  start(port: DriverPort): Promise<void>;
  /** Called once per command id. Must settle before `signal` aborts; what comes later is too late. */
  execute(command: AgentCommand, signal: AbortSignal): Promise<CommandOutcome>;
  /** The desired configuration that the box keeps for this agent. */
  configure?(twin: Record<string, unknown>): void;
  stop(): Promise<void>;
};
