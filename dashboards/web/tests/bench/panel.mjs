// Leaves a panel open whose connection is cut again and again: URL and cookie of a gateway, how many cuts, and milliseconds from
// one to the next at least; prints one line of JSON with the memory before and after.
import { connect, createServer } from 'node:net';
import { open } from './browser.mjs';

const [url, cookie, cuts, period] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const host = new URL(url).hostname;

/** A cable between the panel and the gateway that can be pulled: a browser's own offline mode leaves open streams alone. */
let isCut = false;
const sockets = new Set();
const cable = createServer((from) => {
  if (isCut) return from.destroy();
  const to = connect(Number(new URL(url).port), host);
  for (const socket of [from, to]) sockets.add(socket.on('error', () => socket.destroy()).on('close', () => { sockets.delete(socket); from.destroy(); to.destroy(); }));
  from.pipe(to).pipe(from);
});
await new Promise((done) => cable.listen(0, '127.0.0.1', done));
const pull = (isOut) => {
  isCut = isOut;
  if (isOut) for (const socket of sockets) socket.destroy();
};

/** Memory that is still held after a collection, MB. */
const held = (of) => of.evaluate(async () => { for (let at = 0; at < 3; at += 1) { window.gc?.(); await new Promise((done) => setTimeout(done, 300)); } return performance.memory.usedJSHeapSize / 1e6; });
const { browser, fresh } = await open(url, cookie);
const panel = await fresh();
await panel.goto(`http://127.0.0.1:${cable.address().port}/overview`);
await panel.locator('main .card').first().waitFor();
await panel.evaluate(() => Object.assign(window, { isSamePage: true }));
await panel.waitForTimeout(20_000);
const before = await held(panel);
for (let cut = 0; cut < cuts; cut += 1) {
  const began = Date.now();
  pull(true);
  await panel.locator('.band[role=alert]').waitFor({ timeout: 30_000 });
  pull(false);
  await panel.locator('.band[role=alert]').waitFor({ state: 'detached', timeout: 60_000 });
  await panel.waitForTimeout(Math.max(0, began + period - Date.now()));
}
const after = await held(panel);
const isSame = await panel.evaluate(() => 'isSamePage' in window);
console.log(JSON.stringify({ before, after, isSame }));
await browser.close();
pull(true);
cable.close();
