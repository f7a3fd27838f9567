/** The intake on a file that has no room left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createMetrics, systemClock, systemRandom } from '@siphera/runtime';
import { encodePanelFrame } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStores, type Stores } from '../store/open-stores.ts';
import { migrationsDirectory } from '../testing/rig.ts';
import { Intake } from './intake.ts';
import { createPanelMetrics } from './panel-metrics.ts';

let directory: string;
let stores: Stores;
let intake: Intake;
const log: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-panel-full-'));
  const parts = { clock: systemClock, random: systemRandom };
  stores = openStores({ ...parts, directory, migrations: migrationsDirectory, key: Buffer.alloc(32, 1) });
  intake = new Intake({
    ...stores,
    ...parts,
    log: createLogger({ service: 'panel', destination: { write: (line) => void log.push(line) } }),
    metrics: createPanelMetrics(createMetrics('panel')),
  });
  // A pump that commits at once: core is not what this is about.
  intake.usePump({
    add: (rows) => intake.settle(rows.map((row) => ({ row, outcome: 'committed' as const }))),
    isReachable: () => true,
  });
});
afterEach(() => {
  intake.drain();
  stores.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Bulky, so that a few of them fill whatever room there is. */
const send = (sequence: number): Promise<Buffer | undefined> =>
  intake.receive({
    bytes: encodePanelFrame({
      id: 'SIA-DCS',
      sequence: String(sequence).padStart(4, '0'),
      account: '1234',
      data: `#1234|Nri1/BA${sequence}|A${'x'.repeat(2_000)}`,
    }),
    transport: 'tcp',
    address: '10.0.0.1',
  });

describe('a full disk', () => {
  it('gives no ACK, says so, and lets the receiver go on when there is room', async () => {
    expect((await send(1))?.toString('latin1')).toContain('"ACK"0001');
    const pages = stores.db.pragma('page_count', { simple: true }) as number;
    stores.db.pragma(`max_page_count = ${pages + 2}`);
    let sequence = 1;
    let answer: Buffer | undefined = Buffer.alloc(0);
    while (answer && sequence < 100) answer = await send((sequence += 1));
    expect(answer).toBeUndefined();
    expect(intake.isStoring()).toBe(false);
    expect(log.join('')).toContain('frames_not_stored');

    stores.db.pragma('max_page_count = 1000000');
    expect((await send(sequence))?.toString('latin1')).toContain('"ACK"');
    expect(intake.isStoring()).toBe(true);
    intake.drain();
    expect(stores.messages.waitingCount()).toBe(0);
  });
});
