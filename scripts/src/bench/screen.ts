/**
 * Event → rendered: 1,000 events a second come in by MQTT, the console's event list is open in Chromium behind the real
 * front door, and the page itself notes when each row stands in it. Sender and browser read the same machine's clock.
 */
import { admin, withChromium } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';
import { runLoad, startBuilding, type Building } from './building.ts';
import type { LoadPlan, LoadReport } from './mqtt-load.ts';

const perSecond = 1_000;
const devices = 40;
const targetMs = 250;

export async function benchScreen({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using building = await startBuilding({
    devices,
    rules: 100,
    services: ['signaling'],
    frontDoor: true,
  });
  const { box } = building;
  // An empty list has no table yet.
  await sendMotion(building, { stream: 'first', seconds: 1, rate: devices });
  progress('opening the console');
  return await withChromium(
    {
      caFile: box.mosquitto.ca.caFile,
      hosts: [box.hostName],
      context: { viewport: { width: 1440, height: 900 } },
    },
    async ({ page }) => {
      await openEvents(page, box.origin);
      await page.evaluate(watchRows);
      progress(`${perSecond} events/s for ${seconds} s`);
      const report = await sendMotion(building, { stream: 'screen', seconds, rate: perSecond });
      // What was on its way to the screen when the load ended.
      await page.waitForTimeout(1_000);
      const samples = await page.evaluate<number[]>('globalThis.benchSamples');
      samples.sort((a, b) => a - b);
      return rows(samples, report.sent);
    },
  );
}

function rows(samples: readonly number[], sent: number): BenchRow[] {
  const what = `event → rendered at ${perSecond} events/s`;
  return [
    { what: `${what}: p50`, ours: quantile(samples, 0.5), unit: 'ms', better: 'less' },
    {
      what: `${what}: p99`,
      ours: quantile(samples, 0.99),
      unit: 'ms',
      better: 'less',
      target: { ours: targetMs },
    },
    { what: `${what}: rows seen of ${sent} sent`, ours: samples.length, unit: '', better: 'more' },
  ];
}

async function openEvents(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/login?next=/events`);
  await page.locator('input[name=email]').fill(admin.email);
  await page.locator('input[type=password]').fill(admin.password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/events/);
  await page.locator('table').first().waitFor();
}

function sendMotion(
  { box, orgId, devices: agents }: Building,
  options: Pick<LoadPlan, 'stream' | 'seconds' | 'rate'>,
): Promise<LoadReport> {
  return runLoad({
    ...options,
    url: box.mosquitto.url,
    caFile: box.mosquitto.ca.caFile,
    orgId,
    devices: agents,
    type: 'motion.started',
    acknowledgedBy: 'box',
  });
}

/**
 * Runs in the page, as text because it is the browser's code. Each event's own time stands in its row; a row counts when
 * the frame that shows it is drawn, and once.
 */
const watchRows = `(() => {
  const seen = new Set();
  globalThis.benchSamples = [];
  const note = (rows) => requestAnimationFrame(() => {
    const now = Date.now();
    for (const row of rows) {
      const at = row.querySelector('time')?.dateTime;
      const key = at + row.textContent;
      if (!at || seen.has(key)) continue;
      seen.add(key);
      globalThis.benchSamples.push(now - Date.parse(at));
    }
  });
  new MutationObserver((changes) => {
    const rows = new Set();
    for (const change of changes)
      for (const node of change.addedNodes) if (node instanceof HTMLElement && node.matches('tr')) rows.add(node);
    if (rows.size > 0) note(rows);
  }).observe(document.querySelector('table'), { childList: true, subtree: true });
})()`;
