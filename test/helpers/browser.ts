import { type Browser, chromium, type Page } from 'playwright-core';
import { hasProgram } from './redisServer.js';

/** Debian's Chromium, or what METASIM_CHROMIUM names; tests that need one skip by name where there is none. */
export const CHROMIUM = [process.env.METASIM_CHROMIUM, 'chromium', 'chromium-browser'].find(
  (name) => name !== undefined && hasProgram(name),
);

/** A page and everything that went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, messages on the console that are errors, and requests to other places than `origin`. */
  readonly complaints: string[];
}

/** Chromium without a window. @throws Error when it cannot be started */
export async function launchChromium(): Promise<Browser> {
  const { execFileSync } = await import('node:child_process');
  const executablePath = CHROMIUM?.includes('/')
    ? CHROMIUM
    : execFileSync('sh', ['-c', `command -v ${CHROMIUM}`], { encoding: 'utf8' }).trim();
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/**
 * Opens an address in a page that reaches nothing but `origin`.
 * @param origin what addresses of requests may begin with
 */
export async function openWatched(browser: Browser, address: string, origin: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (url.startsWith(origin) || url.startsWith('data:')) return route.continue();
    complaints.push(`request to ${url}`);
    return route.abort();
  });
  await page.goto(address);
  return { page, complaints };
}
