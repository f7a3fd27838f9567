/** Commands to devices, doors among them: the one path that consoles, rules, intercoms and integrators use. */
import { z } from 'zod';
import { CommandName } from '../mqtt.ts';
import { ById, PageQuery, page, Text, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';

export const Command = z.object({
  id: Uuid,
  org_id: Uuid,
  device_id: Uuid,
  device_name: z.string(),
  name: CommandName,
  args: z.record(z.string(), z.unknown()),
  state: z.enum(['pending', 'sent', 'confirmed', 'failed', 'expired']),
  requested_by: z.string(),
  reason: z.string().optional(),
  error: z.string().optional(),
  created_at: Timestamp,
  finished_at: Timestamp.optional(),
});
export type Command = z.infer<typeof Command>;

const commands = { service: 'core', tag: 'commands' } as const;

export const commandRoutes = defineRoutes({
  createCommand: {
    ...commands,
    method: 'post',
    path: '/devices/{id}/commands',
    access: 'device.command',
    summary: 'Send a command; it is confirmed by the device itself',
    params: ById,
    body: z.object({
      name: CommandName,
      args: z.record(z.string(), z.unknown()).default({}),
      reason: z.string().max(500).optional(),
    }),
    response: Command,
    status: 202,
    idempotent: true,
  },
  getCommand: {
    ...commands,
    method: 'get',
    path: '/commands/{id}',
    access: 'registry.read',
    summary: 'How a command went',
    params: ById,
    response: Command,
  },
  listCommands: {
    ...commands,
    method: 'get',
    path: '/devices/{id}/commands',
    access: 'registry.read',
    summary: 'Commands of a device, newest first',
    params: ById,
    query: PageQuery,
    response: page(Command),
  },
  unlockDoor: {
    ...commands,
    method: 'post',
    path: '/doors/{id}/unlock',
    access: 'device.command',
    summary: 'Unlock a door for some seconds',
    params: ById,
    body: z.object({
      seconds: z.int().min(1).max(3_600).default(5),
      reason: Text.max(500).optional(),
      incident_id: Uuid.optional(),
    }),
    response: Command,
    status: 202,
    idempotent: true,
  },
  lockDoor: {
    ...commands,
    method: 'post',
    path: '/doors/{id}/lock',
    access: 'device.command',
    summary: 'Lock a door now',
    params: ById,
    body: z.object({ reason: Text.max(500).optional(), incident_id: Uuid.optional() }),
    response: Command,
    status: 202,
    idempotent: true,
  },
});
