/** A command that was given from an incident ends on its timeline. */
import { addTimeline } from '../incidents/store/timeline.store.ts';
import type { Tx } from '../kernel/transaction.ts';
import type { CommandEnd } from './commands.ts';

export function tellIncident(tx: Tx, end: CommandEnd | undefined): void {
  if (end?.incidentId === undefined) return;
  const { command } = end;
  const words = {
    pending: 'waits',
    sent: 'was sent',
    confirmed: 'is confirmed by the device',
    failed: 'failed',
    expired: 'was not answered',
  }[command.state];
  addTimeline(tx, {
    incidentId: end.incidentId,
    kind: 'command',
    actor: { kind: 'device', id: command.device_id, name: command.device_name },
    text: `${command.name} ${words}${command.error ? `: ${command.error}` : ''}`,
    data: { command_id: command.id, state: command.state },
    traceId: command.id,
  });
}
