import type { Entry } from './entry.js';

/**
 * The order to close in: waves, each closed in parallel. A connection goes after everything that stands on it,
 * so in reverse order of opening; what is to close last makes the final wave.
 */
export function closeWaves(entries: readonly Entry[]): Entry[][] {
  const waves: Entry[][] = [];
  let open = entries.filter(entry => !entry.closeLast);
  while (open.length > 0) {
    const needed = new Set(open.flatMap(entry => [...entry.dependsOn].filter(id => id !== entry.id)));
    const free = open.filter(entry => !needed.has(entry.id));
    const wave = free.length > 0 ? free : open; // a cycle cannot come out of DI; were there one, all close together
    waves.push(wave);
    open = open.filter(entry => !wave.includes(entry));
  }
  const last = entries.filter(entry => entry.closeLast);
  return last.length > 0 ? [...waves, last] : waves;
}
