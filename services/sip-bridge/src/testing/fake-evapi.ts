/** What Kamailio's module evapi and its spool look like from outside: a TCP port that writes netstrings, and a table of rows. */
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { openDatabase, type Sqlite } from '@siphera/runtime';
import { freePort } from '@siphera/testkit';

export class FakeEvapi {
  readonly port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async create(): Promise<FakeEvapi> {
    return new FakeEvapi(await freePort());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
  }

  get clients(): number {
    return this.#sockets.size;
  }

  tell(report: unknown): void {
    const text = typeof report === 'string' ? report : JSON.stringify(report);
    this.raw(`${Buffer.byteLength(text)}:${text},`);
  }

  raw(bytes: string): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The spool, as Kamailio's script makes and fills it. */
export function fakeSpool(directory: string): Sqlite {
  mkdirSync(directory, { recursive: true });
  const db = openDatabase(join(directory, 'events.sqlite'));
  db.exec('CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)');
  return db;
}
export const spoolRow = (db: Sqlite, report: unknown): void =>
  void db
    .prepare('INSERT INTO event (body) VALUES (?)')
    .run(typeof report === 'string' ? report : JSON.stringify(report));
export const spoolRows = (db: Sqlite): number =>
  db.prepare<[], number>('SELECT count(*) FROM event').pluck().get() ?? 0;
