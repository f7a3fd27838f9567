/** What axe finds on a page as it stands. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type AxeResult = { violations: Array<{ id: string; nodes: Array<{ target: string[] }> }> };

/** A line for each fault: page, rule, and the first places. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Through the debugger, so that the page's own content policy stays as it is.
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResult>('axe.run(document, { resultTypes: ["violations"] })');
  return violations.map(
    ({ id, nodes }) =>
      `${new URL(page.url()).pathname}: ${id} at ${nodes
        .slice(0, 3)
        .map((node) => node.target.join(' '))
        .join(' · ')}`,
  );
}
