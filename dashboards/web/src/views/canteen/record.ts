/** Opens the record of the day as a PDF. */
import { api } from '../../api/client.ts';

/** How long the file stays in the browser's memory after it was handed over. */
const KEPT_MS = 60_000;

export async function openRecord(): Promise<void> {
  const url = URL.createObjectURL(await api.record());
  const link = document.createElement('a');
  link.href = url;
  link.download = `haccp-${new Date().toISOString().slice(0, 10)}.pdf`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
