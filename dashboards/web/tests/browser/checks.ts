/** What every screen must be: accessible, whole, touchable, and without a missing text. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Smallest side of what is touched, CSS pixels. */
const TOUCH_PX = 48;

/** Returns what is wrong with the page, one sentence each. */
export async function faults(page: Page): Promise<string[]> {
  return [...(await axe(page)), ...(await page.evaluate(own, TOUCH_PX))];
}

async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const runner = (window as unknown as { axe: { run: (of: Document, how: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe;
    const found = await runner.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
    return found.violations.flatMap((one) => one.nodes.map((node) => `axe ${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary.replaceAll('\n', ' ').slice(0, 200)}`));
  });
}

/** Runs in the page. */
function own(touch: number): string[] {
  const wrong: string[] = [];
  const said = (element: Element) => `${element.tagName.toLowerCase()}.${element.className?.toString?.() ?? ''} "${(element.textContent ?? '').trim().slice(0, 40)}"`;
  const isSeen = (element: Element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden' && !element.closest('.hidden, .uplot');
  };
  if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push(`the page scrolls sideways: ${document.documentElement.scrollWidth} px`);
  for (const element of document.querySelectorAll('body *')) {
    if (!isSeen(element) || element.closest('svg')) continue;
    const style = getComputedStyle(element);
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && style.display !== 'inline' && style.overflowX !== 'auto') wrong.push(`clipped: ${said(element)} ${element.scrollWidth} > ${element.clientWidth}`);
    if (element.scrollHeight > element.clientHeight + 1 && style.overflowY === 'hidden') wrong.push(`clipped below: ${said(element)}`);
  }
  for (const element of document.querySelectorAll('button, a[href], input, select, [role=radio]')) {
    if (!isSeen(element) || (element instanceof HTMLButtonElement && element.disabled)) continue;
    const box = element.getBoundingClientRect();
    if (box.width < touch - 0.5 || box.height < touch - 0.5) wrong.push(`too small to touch: ${said(element)} ${Math.round(box.width)}×${Math.round(box.height)}`);
  }
  const text = document.body.innerText;
  for (const bad of ['undefined', 'NaN', '[object', 'null']) if (text.includes(bad)) wrong.push(`"${bad}" is shown`);
  return wrong;
}
