/** Phones and browsers that may be rung up, and the key pair by which push services know this box. */
import type { PushPreferences, PushSubscription } from '@siphera/contract';
import type { KeyBox, Sqlite } from '@siphera/runtime';

export type TestedState = PushSubscription['tested']['state'];
export type SubscriptionRow = {
  id: string;
  orgId: string;
  userId: string;
  sessionId: string;
  talkDeviceId: string | null;
  endpoint: string;
  p256dh: string;
  auth: string;
  name: string;
  service: string;
  preferences: PushPreferences;
  createdMs: number;
  lastSuccessMs: number | null;
  lastError: string | null;
  endedMs: number | null;
  testedState: TestedState;
  testedMs: number | null;
  testedArrivedMs: number | null;
  messageMs: number | null;
  callMs: number | null;
};
type Row = Omit<SubscriptionRow, 'preferences'> & { preferences: string };

const columns = `id, org_id AS orgId, user_id AS userId, session_id AS sessionId, talk_device_id AS talkDeviceId,
  endpoint, p256dh, auth, name, service, preferences, created_ms AS createdMs, last_success_ms AS lastSuccessMs,
  last_error AS lastError, ended_ms AS endedMs, tested_state AS testedState, tested_ms AS testedMs,
  tested_arrived_ms AS testedArrivedMs, message_ms AS messageMs, call_ms AS callMs`;
/** Of what somebody else's server said. */
const errorCharsMax = 300;
const keysRow = 'push_keys';

export class PushSubscriptionStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): SubscriptionRow | undefined {
    return this.#one('id = ?', id);
  }

  byEndpoint(endpoint: string): SubscriptionRow | undefined {
    return this.#one('endpoint = ?', endpoint);
  }

  /** All of a person, ended ones too, the oldest first. */
  ofUser(userId: string): SubscriptionRow[] {
    return this.#many('user_id = ?', userId);
  }

  /** Those of a person that are rung up. */
  liveOf(userId: string): SubscriptionRow[] {
    return this.#many('user_id = ? AND ended_ms IS NULL', userId);
  }

  inOrg(orgId: string): SubscriptionRow[] {
    return this.#many('org_id = ?', orgId);
  }

  hasLiveInOrg(orgId: string): boolean {
    return (
      this.#db
        .prepare('SELECT 1 FROM push_subscriptions WHERE org_id = ? AND ended_ms IS NULL LIMIT 1')
        .get(orgId) !== undefined
    );
  }

  /** Whose and of which sessions those are that are rung up. */
  liveSessions(): { id: string; userId: string; sessionId: string }[] {
    return this.#db
      .prepare<[], { id: string; userId: string; sessionId: string }>(
        'SELECT id, user_id AS userId, session_id AS sessionId FROM push_subscriptions WHERE ended_ms IS NULL',
      )
      .all();
  }

  userIds(): string[] {
    return this.#db.prepare<[], string>('SELECT DISTINCT user_id FROM push_subscriptions').pluck().all();
  }

  /** Adds it, or puts it in the place of the one with its id. */
  save(row: SubscriptionRow): void {
    this.#db
      .prepare(
        `INSERT INTO push_subscriptions (id, org_id, user_id, session_id, talk_device_id, endpoint, p256dh, auth, name, service,
           preferences, created_ms, last_success_ms, last_error, ended_ms, tested_state, tested_ms, tested_arrived_ms,
           message_ms, call_ms)
         VALUES (@id, @orgId, @userId, @sessionId, @talkDeviceId, @endpoint, @p256dh, @auth, @name, @service,
           @preferences, @createdMs, @lastSuccessMs, @lastError, @endedMs, @testedState, @testedMs, @testedArrivedMs,
           @messageMs, @callMs)
         ON CONFLICT (id) DO UPDATE SET org_id = @orgId, user_id = @userId, session_id = @sessionId,
           talk_device_id = @talkDeviceId, endpoint = @endpoint, p256dh = @p256dh, auth = @auth, name = @name,
           service = @service, preferences = @preferences, created_ms = @createdMs, last_success_ms = @lastSuccessMs,
           last_error = @lastError, ended_ms = @endedMs, tested_state = @testedState, tested_ms = @testedMs,
           tested_arrived_ms = @testedArrivedMs, message_ms = @messageMs, call_ms = @callMs`,
      )
      .run({ ...row, preferences: JSON.stringify(row.preferences) });
  }

  /** It goes, with what was to be sent to it. */
  remove(id: string): void {
    this.#db.prepare('DELETE FROM push_subscriptions WHERE id = ?').run(id);
  }

  removeOfUser(userId: string): void {
    this.#db.prepare('DELETE FROM push_subscriptions WHERE user_id = ?').run(userId);
  }

  removeOfDevice(userId: string, talkDeviceId: string): void {
    this.#db
      .prepare('DELETE FROM push_subscriptions WHERE user_id = ? AND talk_device_id = ?')
      .run(userId, talkDeviceId);
  }

  /** Ended ones of the same browser: a new subscription of it takes their place. */
  removeEndedOfDevice(userId: string, talkDeviceId: string): void {
    this.#db
      .prepare(
        'DELETE FROM push_subscriptions WHERE user_id = ? AND talk_device_id = ? AND ended_ms IS NOT NULL',
      )
      .run(userId, talkDeviceId);
  }

  /** It is shown for a while, so that the person and the desk see that this phone does not ring. */
  end(id: string, why: string, nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE push_subscriptions SET ended_ms = ?, last_error = ?, tested_state = 'unreachable',
           tested_ms = coalesce(tested_ms, ?), tested_arrived_ms = NULL WHERE id = ?`,
      )
      .run(nowMs, why.slice(0, errorCharsMax), nowMs, id);
    this.#db.prepare('DELETE FROM push_jobs WHERE subscription_id = ?').run(id);
  }

  removeEndedBefore(ms: number): void {
    this.#db.prepare('DELETE FROM push_subscriptions WHERE ended_ms < ?').run(ms);
  }

  noteTaken(id: string, nowMs: number): void {
    this.#db
      .prepare('UPDATE push_subscriptions SET last_success_ms = ?, last_error = NULL WHERE id = ?')
      .run(nowMs, id);
  }

  noteError(id: string, why: string): void {
    this.#db
      .prepare('UPDATE push_subscriptions SET last_error = ? WHERE id = ?')
      .run(why.slice(0, errorCharsMax), id);
  }

  noteWake(id: string, kind: 'message' | 'call', nowMs: number): void {
    const column = kind === 'message' ? 'message_ms' : 'call_ms';
    this.#db.prepare(`UPDATE push_subscriptions SET ${column} = ? WHERE id = ?`).run(nowMs, id);
  }

  setTested(id: string, state: TestedState, atMs: number, arrivedMs: number | null): void {
    this.#db
      .prepare(
        'UPDATE push_subscriptions SET tested_state = ?, tested_ms = ?, tested_arrived_ms = ? WHERE id = ?',
      )
      .run(state, atMs, arrivedMs, id);
  }

  /** Tests that began by `ms` and of which nothing was shown. */
  endTestsBefore(ms: number): void {
    this.#db
      .prepare(
        `UPDATE push_subscriptions SET tested_state = 'unreachable'
         WHERE tested_state = 'waiting' AND tested_arrived_ms IS NULL AND tested_ms <= ?`,
      )
      .run(ms);
  }

  #one(where: string, value: string): SubscriptionRow | undefined {
    const row = this.#db
      .prepare<[string], Row>(`SELECT ${columns} FROM push_subscriptions WHERE ${where}`)
      .get(value);
    return row && fromRow(row);
  }

  #many(where: string, value: string): SubscriptionRow[] {
    return this.#db
      .prepare<[string], Row>(`SELECT ${columns} FROM push_subscriptions WHERE ${where} ORDER BY id`)
      .all(value)
      .map(fromRow);
  }
}

const fromRow = (row: Row): SubscriptionRow => ({
  ...row,
  preferences: JSON.parse(row.preferences) as PushPreferences,
});

export type VapidKeys = { publicKey: string; privateKey: string };

/**
 * The pair of this box; made when there is none yet. Both are base64url.
 * @throws Error when it was sealed with another key: a new pair would void every subscription in silence.
 */
export function vapidKeys(db: Sqlite, options: { box: KeyBox; make(): VapidKeys; nowMs: number }): VapidKeys {
  const row = db
    .prepare<[], { public_key: string; private_key: Buffer }>('SELECT public_key, private_key FROM push_keys')
    .get();
  if (row)
    return {
      publicKey: row.public_key,
      privateKey: options.box.open(row.private_key, keysRow).toString('utf8'),
    };
  const made = options.make();
  db.prepare('INSERT INTO push_keys (only_row, public_key, private_key, created_ms) VALUES (1, ?, ?, ?)').run(
    made.publicKey,
    options.box.seal(Buffer.from(made.privateKey), keysRow),
    options.nowMs,
  );
  return made;
}
