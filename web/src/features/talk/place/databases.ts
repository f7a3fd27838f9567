/** The databases of talk in this browser: their names, and how they go. Each device has its own, a shared desk so several. */
import { deleteDB } from 'idb';

const prefix = 'siphera-talk:';
/** What the library makes of the name that it is given. */
const cryptoSuffixes = ['::matrix-sdk-crypto', '::matrix-sdk-crypto-meta'];
/** A database that is still open somewhere goes when it is closed; nobody is kept waiting longer than this for it. */
const deleteMsMax = 5_000;

export const keepName = 'siphera-talk-keep';
export const storageName = (name: string): string => `${prefix}${name}:tables`;
export const cryptoStoreName = (deviceId: string): string => `${prefix}${deviceId}:keys`;

/** Deletes a database. `later`: it is open yet and goes when the last who has it open is closed. */
export async function deleteDatabase(name: string): Promise<'deleted' | 'later'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<'later'>((resolve) => {
    timer = setTimeout(() => resolve('later'), deleteMsMax);
  });
  const done = deleteDB(name).then(() => 'deleted' as const);
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

export async function deleteCryptoStore(deviceId: string): Promise<void> {
  await Promise.all(cryptoSuffixes.map((suffix) => deleteDatabase(cryptoStoreName(deviceId) + suffix)));
}

/**
 * Deletes what is left of devices that this browser does not know any more: a wipe that a closed tab cut short. Called before an
 * engine is opened, by the one tab that may open it.
 */
export async function sweepDatabases(knownDevices: ReadonlySet<string>): Promise<void> {
  const left = (await listNames()).filter(
    (name) => name.startsWith(prefix) && !knownDevices.has(deviceOf(name)),
  );
  await Promise.all(left.map((name) => deleteDatabase(name)));
}

const deviceOf = (name: string): string => /^[^:]*/.exec(name.slice(prefix.length))?.[0] ?? '';

/** Older browsers cannot list; there the expected names must do. */
async function listNames(): Promise<string[]> {
  if (typeof indexedDB.databases !== 'function') return [];
  return (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
}
