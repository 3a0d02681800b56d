// Chromium with the log-in of a benchmark, and its own garbage collection.
import { chromium } from 'playwright-core';

/** Opens a browser; `fresh` gives a page of a context of its own that is logged in. */
export async function open(url, cookie) {
  const [name, value] = cookie.split(/=(.*)/s);
  const domain = new URL(url).hostname;
  const browser = await chromium.launch({ executablePath: process.env.LINLI_CHROMIUM ?? '/usr/bin/chromium', args: ['--enable-precise-memory-info', '--js-flags=--expose-gc'] });
  const fresh = async (options) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    await context.addCookies([{ name, value, domain, path: '/' }]);
    return context.newPage();
  };
  return { browser, fresh };
}
