/** Signs a person in through the login page. */
import type { Page } from 'playwright-core';

export async function signIn(
  page: Page,
  origin: string,
  person: { email: string; password: string },
): Promise<void> {
  await page.goto(`${origin}/login`);
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
}
