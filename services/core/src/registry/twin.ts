/**
 * The twin of an agent (retained): what hangs on it, by our ids. Published when the registry changes, and for all agents
 * when the broker is back, so that a door added behind an enrolled controller is known to it at once.
 */
import { deviceTopic, type AgentTwin } from '@siphera/contract/base';
import type { Sqlite } from '@siphera/runtime/base';
import type { Tx } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';

type Publish = Pick<WriterDeps, 'publish'>;

/** After the commit, for each of them that is an enrolled agent. */
export function twinsChanged(tx: Tx, deps: Publish, deviceIds: ReadonlyArray<string | null>): void {
  const ids = [...new Set(deviceIds.filter((id) => id !== null))];
  if (ids.length === 0) return;
  tx.afterCommit(() => {
    for (const id of ids) publishTwin(tx.db, deps, id);
  });
}

/** All agents: the broker may have lost what it kept. */
export function publishAllTwins(db: Sqlite, deps: Publish): void {
  const agents = db
    .prepare<[], { device_id: string }>(
      'SELECT DISTINCT device_id FROM device_certificates WHERE revoked_ms IS NULL',
    )
    .all();
  for (const { device_id } of agents) publishTwin(db, deps, device_id);
}

function publishTwin(db: Sqlite, deps: Publish, agentId: string): void {
  const agent = db
    .prepare<[string], { org_id: string }>(
      `SELECT d.org_id FROM devices d WHERE d.id = ? AND d.deleted_ms IS NULL
         AND EXISTS (SELECT 1 FROM device_certificates c WHERE c.device_id = d.id AND c.revoked_ms IS NULL)`,
    )
    .get(agentId);
  if (!agent) return;
  const children = db
    .prepare<[string], AgentTwin['children'][number]>(
      'SELECT id, kind, name, external_id FROM devices WHERE parent_id = ? AND deleted_ms IS NULL ORDER BY id',
    )
    .all(agentId);
  deps.publish(deviceTopic(agent.org_id, agentId, 'twin'), JSON.stringify({ children } satisfies AgentTwin), {
    retain: true,
  });
}
