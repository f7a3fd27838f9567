/**
 * MQTT topics and payloads. `siphera/v1/<org>/<device>/<leaf>`; the broker's ACL binds <device> to the name in the
 * client certificate. Events and commands are never retained; `state` and `twin` are.
 */
import { z } from 'zod';
import { IncomingEvent } from './events.ts';
import { Timestamp, Uuid } from './primitives.ts';

export const topicRoot = 'siphera/v1';
export const deviceLeaves = ['event', 'telemetry', 'state', 'ack', 'command', 'result', 'twin'] as const;
export type DeviceLeaf = (typeof deviceLeaves)[number];

/** Uncommitted events an agent may have in flight. Core's broker queue is sized from it (devices × window). */
export const agentWindow = 128;

export const deviceTopic = (org: string, device: string, leaf: DeviceLeaf): string =>
  `${topicRoot}/${org}/${device}/${leaf}`;

/** Parses a topic of ours; undefined when it is not one. */
export function parseDeviceTopic(
  topic: string,
): { org: string; device: string; leaf: DeviceLeaf } | undefined {
  const [root, version, org, device, leaf, ...rest] = topic.split('/');
  if (`${root}/${version}` !== topicRoot || !org || !device || rest.length > 0) return undefined;
  const known = deviceLeaves.find((candidate) => candidate === leaf);
  return known ? { org, device, leaf: known } : undefined;
}

/**
 * Payload of `…/event`: a CloudEvent with three extension attributes. `stream` names the agent's queue and changes when
 * that queue is reset; `sequence` counts from 1 inside a stream; `floor` is the lowest sequence the agent still holds.
 */
export const AgentEvent = IncomingEvent.extend({
  stream: z.string().min(1).max(64),
  sequence: z.int().positive(),
  floor: z.int().positive().optional(),
});
export type AgentEvent = z.infer<typeof AgentEvent>;

/** Payload of `…/ack`: everything up to and including `committed` in `stream` is durable and may be forgotten. */
export const AgentAck = z.object({ stream: z.string(), committed: z.int().nonnegative() });
export type AgentAck = z.infer<typeof AgentAck>;

/** Payload of `…/state` (retained; also the last will with `online: false`). */
export const AgentState = z.object({
  online: z.boolean(),
  at: Timestamp.optional(),
  version: z.string().max(40).optional(),
  queued: z.int().nonnegative().optional(),
  door: z.enum(['locked', 'unlocked', 'unknown']).optional(),
  children: z
    .record(Uuid, z.looseObject({ online: z.boolean().optional(), state: z.string().max(40).optional() }))
    .optional()
    .meta({ description: 'Devices behind this agent, by device id' }),
});
export type AgentState = z.infer<typeof AgentState>;

/**
 * `record {seconds}`, `snapshot {}` and `goto_preset {preset}` are for cameras; services/camera carries them out, and agents
 * never see them.
 */
export const CommandName = z.enum([
  'unlock',
  'lock',
  'self_test',
  'reboot',
  'identify',
  'record',
  'snapshot',
  'goto_preset',
]);
export type CommandName = z.infer<typeof CommandName>;

/** Payload of `…/command`. An agent ignores one that is past `expires_at` and answers a repeated id with the first result. */
export const AgentCommand = z.object({
  id: Uuid,
  name: CommandName,
  target: Uuid.meta({ description: 'Device it is for: the agent itself or a device behind it' }),
  args: z.record(z.string(), z.unknown()),
  expires_at: Timestamp,
  trace_id: z.string().optional(),
});
export type AgentCommand = z.infer<typeof AgentCommand>;

/** Payload of `…/result`. */
export const AgentCommandResult = z.object({
  id: Uuid,
  ok: z.boolean(),
  state: z.string().max(40).optional().meta({ description: "The door's own state after the command" }),
  error: z.string().max(500).optional(),
  at: Timestamp,
});
export type AgentCommandResult = z.infer<typeof AgentCommandResult>;

/** Payload of `…/twin` (retained): what hangs on the agent, as the registry has it. */
export const AgentTwin = z.object({
  children: z.array(
    z.object({ id: Uuid, kind: z.string(), name: z.string(), external_id: z.string().nullable() }),
  ),
});
export type AgentTwin = z.infer<typeof AgentTwin>;
