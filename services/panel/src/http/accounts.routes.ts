/** Accounts over REST: list, add, adopt, change, forget. */
import type { panelRoutes, PanelAccountInput } from '@siphera/contract';
import { AppError, type Call, type Clock, type Handlers, type KeyBox, type Random } from '@siphera/runtime';
import type { z } from 'zod';
import type { AccountRow, AccountStore } from '../store/account.store.ts';
import { accountFor, mayOnAccount, requireOnSite } from './access.ts';
import type { Changes } from './changes.ts';
import { toPanelAccount } from './wire.ts';

type Names =
  | 'listPanelAccounts'
  | 'createPanelAccount'
  | 'getPanelAccount'
  | 'updatePanelAccount'
  | 'deletePanelAccount';
type AccountHandlers = Pick<Handlers<typeof panelRoutes>, Names>;
type Patch = Call<typeof panelRoutes.updatePanelAccount>['body'];

export type AccountParts = {
  accounts: AccountStore;
  keys: KeyBox;
  changes: Changes;
  clock: Clock;
  random: Random;
};

export function accountHandlers(parts: AccountParts): AccountHandlers {
  const { accounts, changes } = parts;
  return {
    listPanelAccounts: async ({ caller, query }) => {
      const visible = accounts.list().filter((row) => mayOnAccount(caller.claims, 'panel.read', row));
      const wanted = visible.filter((row) => query.state === undefined || row.state === query.state);
      return { items: wanted.map((row) => toPanelAccount(row, caller.claims.org)) };
    },

    createPanelAccount: async ({ caller, body }) => {
      requireOnSite(caller, 'panel.manage', body.site_id);
      const known = accounts.find(body.account);
      const row = known ? accounts.get(known.id) : undefined;
      // One that only waits is taken over: whoever enters it by hand adopts it.
      if (row && row.state !== 'waiting')
        throw new AppError('duplicate', `Account ${body.account} already exists.`);
      const made = newRow(parts, caller.claims.org, body, row);
      changes.apply(
        caller,
        { action: 'panel_account.create', account: made.account, detail: auditDetail(body) },
        () => accounts.save(made),
      );
      return toPanelAccount(made, caller.claims.org);
    },

    getPanelAccount: async ({ caller, params }) =>
      toPanelAccount(accountFor(accounts, caller, 'panel.read', params.id), caller.claims.org),

    updatePanelAccount: async ({ caller, params, body }) => {
      const row = accountFor(accounts, caller, 'panel.manage', params.id);
      if (body.site_id !== undefined) requireOnSite(caller, 'panel.manage', body.site_id);
      const changed = patchRow(parts, caller.claims.org, row, body);
      const action = row.state === 'waiting' ? 'panel_account.adopt' : 'panel_account.update';
      changes.apply(caller, { action, account: row.account, detail: auditDetail(body) }, () =>
        accounts.save(changed),
      );
      return toPanelAccount(accounts.get(row.id) ?? changed, caller.claims.org);
    },

    deletePanelAccount: async ({ caller, params }) => {
      const row = accountFor(accounts, caller, 'panel.manage', params.id);
      changes.apply(
        caller,
        { action: 'panel_account.delete', account: row.account, detail: { name: row.name } },
        () => accounts.remove(row.id),
      );
    },
  };
}

function newRow(
  { keys, clock, random }: AccountParts,
  org: string,
  body: z.infer<typeof PanelAccountInput>,
  waiting: AccountRow | undefined,
): AccountRow {
  const nowMs = clock.now();
  const row: AccountRow = {
    id: random.uuid(),
    account: body.account,
    org_id: org,
    site_id: body.site_id,
    state: 'active',
    name: body.name,
    device_id: body.device_id,
    area_id: body.area_id,
    key_sealed: null,
    key_bits: null,
    require_encryption: body.require_encryption ? 1 : 0,
    supervision_ms: body.supervision_ms,
    supervision: 'off',
    heard_ms: null,
    first_seen_ms: null,
    last_seen_ms: null,
    last_address: null,
    transport: null,
    frames: 0,
    bad_frames: 0,
    created_ms: nowMs,
    ...(waiting ? sightings(waiting) : {}),
  };
  const keyed = withKey(row, body.key_hex, keys);
  return withSupervision(keyed, undefined, nowMs);
}

const sightings = (row: AccountRow): Partial<AccountRow> => ({
  id: row.id,
  first_seen_ms: row.first_seen_ms,
  last_seen_ms: row.last_seen_ms,
  last_address: row.last_address,
  transport: row.transport,
  frames: row.frames,
  bad_frames: row.bad_frames,
  created_ms: row.created_ms,
});

function patchRow({ keys, clock }: AccountParts, org: string, row: AccountRow, body: Patch): AccountRow {
  const state = body.state ?? (row.state === 'waiting' ? 'active' : row.state);
  const changed: AccountRow = {
    ...row,
    org_id: row.org_id ?? org,
    site_id: body.site_id ?? row.site_id,
    state,
    name: body.name ?? row.name,
    device_id: body.device_id === undefined ? row.device_id : body.device_id,
    area_id: body.area_id === undefined ? row.area_id : body.area_id,
    require_encryption: (body.require_encryption ?? row.require_encryption === 1) ? 1 : 0,
    supervision_ms: body.supervision_ms === undefined ? row.supervision_ms : body.supervision_ms,
  };
  if (state === 'active' && changed.site_id === null) {
    throw new AppError('unprocessable', 'An account is adopted into a site: give site_id.');
  }
  return withSupervision(withKey(changed, body.key_hex, keys), row, clock.now());
}

/** @throws AppError when encryption would be required without a key: the panel could never report again. */
function withKey(row: AccountRow, keyHex: string | null | undefined, keys: KeyBox): AccountRow {
  const keyed = { ...row };
  if (keyHex === null) Object.assign(keyed, { key_sealed: null, key_bits: null });
  if (typeof keyHex === 'string') {
    const key = Buffer.from(keyHex, 'hex');
    Object.assign(keyed, { key_sealed: keys.seal(key, row.account), key_bits: key.length * 8 });
  }
  if (keyed.require_encryption === 1 && keyed.key_sealed === null) {
    throw new AppError('unprocessable', 'Encryption can be required only when a key is set.');
  }
  return keyed;
}

/** The timer starts again when supervision is switched on or its interval changes; else it goes on. */
function withSupervision(row: AccountRow, before: AccountRow | undefined, nowMs: number): AccountRow {
  if (row.supervision_ms === null || row.state !== 'active')
    return { ...row, supervision: 'off', heard_ms: null };
  const goesOn = before?.supervision_ms === row.supervision_ms && before.supervision !== 'off';
  return goesOn ? row : { ...row, supervision: 'ok', heard_ms: nowMs };
}

/** What the audit keeps: what was set, never the key. */
function auditDetail(body: Record<string, unknown>): Record<string, unknown> {
  const { key_hex: key, ...rest } = body;
  return key === undefined ? rest : { ...rest, key_changed: key === null ? 'removed' : 'set' };
}
