/** Dead letters: kept with the reason, bounded, and told to admins on the feed. */
import type { Tx } from '../kernel/transaction.ts';
import type { Arrival, DeadCode } from './arrival.ts';

/** Enough to replay any event (they are at most 64 KiB). */
const payloadBytesMax = 64 * 1024;
/** A ring: a device that sends nonsense all day must not fill the disk. */
const deadLettersMax = 10_000;

export function storeDeadLetter(
  tx: Tx,
  arrival: Pick<Arrival, 'channel' | 'origin' | 'orgId' | 'bytes'> & { payload: string | Buffer },
  code: DeadCode,
  reason: string,
): void {
  const id = tx.random.uuid();
  const payload = Buffer.from(arrival.payload).subarray(0, payloadBytesMax);
  tx.db
    .prepare(
      'INSERT INTO dead_letters (id, org_id, received_ms, channel, origin, code, reason, bytes, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      id,
      arrival.orgId,
      tx.nowMs,
      arrival.channel,
      arrival.origin.slice(0, 300),
      code,
      reason.slice(0, 1_000),
      arrival.bytes,
      payload,
    );
  tx.change({
    kind: 'dead_letter',
    action: 'created',
    id,
    orgId: arrival.orgId,
    audience: 'system.read',
    scopes: [`org:${arrival.orgId}`],
    data: {
      id,
      channel: arrival.channel,
      origin: arrival.origin.slice(0, 300),
      code,
      reason: reason.slice(0, 1_000),
    },
  });
  trim(tx, arrival.orgId);
}

function trim(tx: Tx, orgId: string): void {
  // Ids sort by time. Only now and then: counting each time would make a storm of nonsense expensive.
  if (tx.random.fraction() > 0.02) return;
  tx.db
    .prepare(
      "DELETE FROM dead_letters WHERE org_id = ? AND id < coalesce((SELECT id FROM dead_letters WHERE org_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?), '')",
    )
    .run(orgId, orgId, deadLettersMax);
}
