/** Stops rooms, all at once, and says what became of it. */
import { api } from '../../api/client.ts';

export interface Stopped { isSafe: boolean; text: string }

export async function stopAll(rooms: string[]): Promise<Stopped> {
  const answers = await Promise.allSettled(rooms.map((room) => api.stop(room)));
  const texts = new Set<string>();
  let isSafe = true;
  for (const answer of answers) {
    if (answer.status === 'fulfilled') {
      isSafe &&= answer.value.stop?.is_safe !== false;
      if (answer.value.stop) texts.add(answer.value.stop.text);
    } else {
      isSafe = false;
      texts.add((answer.reason as Error).message);
    }
  }
  return { isSafe, text: [...texts].filter(Boolean).join('\n') };
}
