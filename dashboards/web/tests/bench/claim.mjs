// Drives chromium for `cargo xtask bench claim`: URL and cookie of a health worker, the port where a monitor connects, and how
// many readings are claimed; prints one line of JSON. Each reading is of a patient who is not here, so nobody owns it.
import { connect } from 'node:net';
import { chromium } from 'playwright-core';

const [url, cookie, port, claims] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const [name, value] = cookie.split(/=(.*)/s);
const percentile = (all, share) => [...all].sort((a, b) => a - b)[Math.round((all.length - 1) * share)];

const monitor = connect(port, '127.0.0.1');
async function measure(number, pulse) {
  const message = `MSH|^~\\&|M|C|GW|C|||ORU^R01^ORU_R01|CLAIM${number}|P|2.6\rPID|||SOMEBODY-ELSE\rOBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8867-4^x^LN||${pulse}|/min^^UCUM|||||F\r`;
  const answer = await new Promise((done) => {
    monitor.once('data', (bytes) => done(bytes.toString()));
    monitor.write(`\x0b${message}\x1c\r`);
  });
  if (!answer.includes('MSA|AA')) throw new Error(answer);
}

/** Runs in the page: touches the button, and waits for the frame that shows the value in the tile. */
function claim(pulse) {
  const tile = document.querySelector('main section[aria-label="脉搏"]');
  const button = [...document.querySelectorAll('aside li')].find((one) => one.querySelector('b')?.textContent === `${pulse}\u00a0/min`)?.querySelector('button');
  return new Promise((done) => {
    const began = performance.now();
    const look = () => {
      if (tile.querySelector('.number')?.textContent?.trim() !== `${pulse}/min`) return;
      watch.disconnect();
      requestAnimationFrame(() => done(performance.now() - began));
    };
    const watch = new MutationObserver(look);
    watch.observe(tile, { subtree: true, childList: true, characterData: true });
    button.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
    button.click();
  });
}

const browser = await chromium.launch({ executablePath: process.env.LINLI_CHROMIUM ?? '/usr/bin/chromium' });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN' });
await context.addCookies([{ name, value, domain: new URL(url).hostname, path: '/' }]);
const page = await context.newPage();
await page.goto(`${url}/cabin?lang=zh`);
await page.locator('main .who').waitFor();
const took = [];
for (let number = 0; number < claims; number += 1) {
  const pulse = 61 + (number % 35);
  await measure(number, pulse);
  await page.locator('aside li b', { hasText: `${pulse}` }).first().waitFor();
  took.push(await page.evaluate(claim, pulse));
}
console.log(JSON.stringify({ p50: percentile(took, 0.5), p99: percentile(took, 0.99) }));
await browser.close();
monitor.destroy();
