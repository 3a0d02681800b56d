// Drives chromium for `cargo xtask bench screens`: URL and cookie of a gateway are given; prints one line of JSON.
// Latency: from the time stamp of a sample (the gateway's clock, on this machine) to the frame in which its value is shown.
import { execFileSync } from 'node:child_process';
import { open } from './browser.mjs';

const [url, cookie, pages] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const DEVICE = 'd0';
const SAMPLES = 300;

const { browser, fresh } = await open(url, cookie);
const percentile = (all, share) => [...all].sort((a, b) => a - b)[Math.round((all.length - 1) * share)];

/** The first view on a phone with a processor four times slower: until the map of the overview is drawn. */
async function firstView() {
  const took = [];
  for (let run = 0; run < 5; run += 1) {
    const page = await fresh({ viewport: { width: 390, height: 844 } });
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const began = Date.now();
    await page.goto(`${url}/overview`, { waitUntil: 'commit' });
    await page.locator('main .card').first().waitFor();
    took.push(Date.now() - began);
    await page.context().close();
  }
  return percentile(took, 0.5);
}

/** Compressed bytes of everything that the views load. */
async function assets() {
  const page = await fresh();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  const kinds = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => kinds.set(requestId, response.url));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => { if (!/\/api\//.test(kinds.get(requestId) ?? '/api/')) bytes += encodedDataLength; });
  await page.goto(`${url}/overview`);
  await page.locator('main .card').first().waitFor();
  await page.context().close();
  return bytes;
}

/** Runs in the page: when a value of the device is drawn, how old is its sample? */
function observe(device) {
  const seen = [];
  let at = 0;
  const Real = window.EventSource;
  window.EventSource = class extends Real {
    constructor(...of) {
      super(...of);
      this.addEventListener('values', (event) => {
        const found = JSON.parse(event.data).devices.find((one) => one.device === device);
        if (found) at = Math.max(...found.points.map((point) => point.at ?? 0));
      });
    }
  };
  window.seen = seen;
  window.watchValues = () => new MutationObserver(() => {
    const of = at;
    requestAnimationFrame(() => { if (of && seen.at(-1)?.[0] !== of) seen.push([of, Date.now() - of]); });
  }).observe(document.querySelector('dialog'), { subtree: true, characterData: true, childList: true });
}

const others = [];
for (let number = 1; number < pages; number += 1) {
  const page = await fresh();
  await page.goto(`${url}/${['overview', 'devices', 'alarms'][number % 3]}`);
  others.push(page);
}
const page = await fresh();
await page.addInitScript(observe, DEVICE);
await page.goto(`${url}/devices?device=${DEVICE}`);
await page.locator('dialog .value').first().waitFor();
await page.evaluate(() => window.watchValues());
await page.waitForFunction((wanted) => window.seen.length >= wanted, SAMPLES, { timeout: 180_000, polling: 1000 });
const latencies = (await page.evaluate(() => window.seen)).map(([, ms]) => ms);

// A phone draws one view: its own.
for (const one of [...others, page]) await one.context().close();
const result = { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), samples: latencies.length, firstView: await firstView(), assets: await assets() };
console.log(JSON.stringify({ ...result, chromium: execFileSync(process.env.LINLI_CHROMIUM ?? '/usr/bin/chromium', ['--version'], { encoding: 'utf8' }).trim() }));
await browser.close();
