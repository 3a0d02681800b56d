/** Checks once that the binary under test has screens at all. */
import { existsSync } from 'node:fs';
import { binary, CHROMIUM } from './gateway.ts';

export default function setup(): void {
  if (!existsSync(binary())) throw new Error(`${binary()} is missing: cargo build -p linli --profile e2e, or set LINLI_BIN`);
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium fonts-noto-cjk`);
}
