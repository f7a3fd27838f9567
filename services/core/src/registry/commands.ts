/**
 * The one command path: guards, rules, intercoms and integrators all come through `issueCommand`. A command is short-lived
 * (a door must not open minutes later), goes to the agent the device hangs on (a camera's to services/camera, by the feed),
 * and counts as done only when the device itself says so.
 */
import {
  deviceTopic,
  type AgentCommand,
  type AgentCommandResult,
  type CommandName,
} from '@siphera/contract/base';
import type { Command } from '@siphera/contract';
import { AppError, toRfc3339, type Sqlite } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { scopesOf } from '../kernel/access.ts';
import type { Actor } from '../kernel/actor.ts';
import { clearTimer, setTimer, type Timer } from '../kernel/timers.ts';
import type { Tx } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceDevice } from './device-writes.ts';
import { commandProblem } from './domain/device-commands.ts';
import { commandColumns, toCommand, type CommandRow } from './store/registry-rows.ts';

/** A command that was not answered by then has expired, here and at the agent. */
const commandLifeMs = 10_000;

type Publish = Pick<WriterDeps, 'publish' | 'index'>;

export type CommandInput = {
  deviceId: string;
  name: CommandName;
  args: Record<string, unknown>;
  reason?: string | undefined;
  incidentId?: string | undefined;
};

/** The caller has authorised it (or is a rule). @throws AppError `unprocessable` for a command this device has not. */
export function issueCommand(
  tx: Tx,
  deps: WriterDeps,
  by: { actor: Actor; traceId: string },
  input: CommandInput,
): Command {
  const device = deps.index.device(input.deviceId);
  if (!device) throw new AppError('not_found', 'There is no such device.');
  const problem = commandProblem(device, input);
  if (problem !== undefined) throw new AppError('unprocessable', problem);
  // services/camera hears its commands on the feed.
  const agentId = device.kind === 'camera' ? undefined : enrolledAgent(tx.db, device);
  if (agentId === undefined && device.kind !== 'camera') {
    throw new AppError(
      'device_unavailable',
      `"${device.name}" hangs on no enrolled controller, so no command can reach it.`,
      { hint: 'Enrol its controller on the device page.' },
    );
  }
  const id = tx.random.uuid();
  const expiresMs = tx.nowMs + commandLifeMs;
  tx.db
    .prepare(
      `INSERT INTO commands (id, org_id, device_id, name, args, state, requested_by, actor, incident_id, reason, trace_id, created_ms, expires_ms)
       VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      device.orgId,
      device.id,
      input.name,
      JSON.stringify(input.args),
      by.actor.name,
      JSON.stringify({ kind: by.actor.kind, id: by.actor.id, name: by.actor.name }),
      input.incidentId ?? null,
      input.reason ?? null,
      by.traceId,
      tx.nowMs,
      expiresMs,
    );
  setTimer(tx, { owner: 'commands', key: id, orgId: device.orgId, dueMs: expiresMs });
  appendAudit(tx, {
    actor: by.actor,
    action: `command.${input.name}`,
    target: `device:${device.id}`,
    detail: {
      command_id: id,
      args: input.args,
      ...(input.reason ? { reason: input.reason } : {}),
      ...(input.incidentId ? { incident_id: input.incidentId } : {}),
    },
  });
  const row = storedCommand(tx, id);
  if (agentId !== undefined) tx.afterCommit(() => publishCommand(deps, row, agentId));
  return announceCommand(tx, row, 'created', device.scopes);
}

/**
 * When the broker is back: what was commanded while it, or we, were away, and has not expired. What had reached the agent
 * already comes to it twice; an agent executes an id once.
 */
export function publishWaitingCommands(db: Sqlite, deps: Publish, nowMs: number): void {
  const waiting = db
    .prepare<[number], { key: string }>(
      `SELECT key FROM timers WHERE owner = 'commands' AND due_ms > ? ORDER BY due_ms`,
    )
    .all(nowMs);
  for (const { key } of waiting) {
    const row = readCommand(db, key);
    const device = row ? deps.index.device(row.device_id) : undefined;
    const agentId = device ? enrolledAgent(db, device) : undefined;
    if (row?.state === 'pending' && agentId !== undefined) publishCommand(deps, row, agentId);
  }
}

function publishCommand(deps: Publish, row: CommandRow, agentId: string): void {
  const payload: AgentCommand = {
    id: row.id,
    name: row.name,
    target: row.device_id,
    args: JSON.parse(row.args) as Record<string, unknown>,
    expires_at: toRfc3339(row.expires_ms),
    trace_id: row.trace_id,
  };
  deps.publish(deviceTopic(row.org_id, agentId, 'command'), JSON.stringify(payload), { retain: false });
}

/** The device itself, or what it hangs on, whichever holds a certificate. */
function enrolledAgent(db: Sqlite, device: { id: string; parentId: string | undefined }): string | undefined {
  const holds = db.prepare<[string], { one: number }>(
    'SELECT 1 AS one FROM device_certificates WHERE device_id = ? AND revoked_ms IS NULL LIMIT 1',
  );
  return [device.id, device.parentId].find((id) => id !== undefined && holds.get(id) !== undefined);
}

function readCommand(db: Sqlite, id: string): CommandRow | undefined {
  return db
    .prepare<[string], CommandRow>(
      `SELECT ${commandColumns} FROM commands c JOIN devices d ON d.id = c.device_id WHERE c.id = +?`,
    )
    .get(id);
}

/** The device a command is for. */
export const commandDevice = (db: Sqlite, id: string): string | undefined => readCommand(db, id)?.device_id;

function storedCommand(tx: Tx, id: string): CommandRow {
  const row = readCommand(tx.db, id);
  if (!row) throw new AppError('not_found', 'There is no such command.');
  return row;
}

function announceCommand(
  tx: Tx,
  row: CommandRow,
  action: 'created' | 'updated',
  scopes: readonly string[],
): Command {
  const command = toCommand(row);
  tx.change({
    kind: 'command',
    action,
    id: row.id,
    orgId: row.org_id,
    audience: 'registry.read',
    scopes,
    traceId: row.trace_id,
    data: { ...command, ...(row.incident_id === null ? {} : { incident_id: row.incident_id }) },
  });
  return command;
}

/** What followed a command: who listens (an incident's timeline) is told by the caller. */
export type CommandEnd = { command: Command; incidentId: string | undefined };

/** An agent's answer. Answers for others' devices, unknown or finished commands are refused with the reason. */
export function finishCommand(
  tx: Tx,
  deps: WriterDeps,
  agentId: string,
  result: AgentCommandResult,
): CommandEnd | { refused: string } {
  const row = readCommand(tx.db, result.id);
  const device = row ? deps.index.device(row.device_id) : undefined;
  if (!row || (device?.id !== agentId && device?.parentId !== agentId))
    return { refused: 'the command is not one of this agent' };
  if (row.state !== 'pending' && row.state !== 'sent')
    return { refused: `the command is ${row.state} already` };
  tx.db
    .prepare('UPDATE commands SET state = ?, error = ?, finished_ms = ? WHERE id = ?')
    .run(
      result.ok ? 'confirmed' : 'failed',
      result.ok ? null : (result.error ?? 'The device gave no reason.'),
      tx.nowMs,
      row.id,
    );
  clearTimer(tx, 'commands', row.id);
  if (result.ok && result.state !== undefined) {
    tx.db
      .prepare('UPDATE devices SET state = ?, revision = revision + 1 WHERE id = ?')
      .run(result.state, row.device_id);
    announceDevice(tx, row.device_id, 'updated', row.trace_id);
  }
  return {
    command: announceCommand(tx, storedCommand(tx, row.id), 'updated', device.scopes),
    incidentId: row.incident_id ?? undefined,
  };
}

/** Timer handler: nobody answered in time. */
export function expireCommand(tx: Tx, timer: Timer): CommandEnd | undefined {
  const row = readCommand(tx.db, timer.key);
  if (!row || (row.state !== 'pending' && row.state !== 'sent')) return undefined;
  tx.db
    .prepare(`UPDATE commands SET state = 'expired', error = ?, finished_ms = ? WHERE id = ?`)
    .run(
      'The device did not answer in time. It was told to ignore the command from now on.',
      tx.nowMs,
      row.id,
    );
  const scopes = scopesOf(tx.db, { kind: 'device', id: row.device_id })?.scopes ?? [`org:${row.org_id}`];
  return {
    command: announceCommand(tx, storedCommand(tx, row.id), 'updated', scopes),
    incidentId: row.incident_id ?? undefined,
  };
}
