/** What this process takes in memory, garbage collected: it runs with `--expose-gc`. Buffers are outside of the heap, and count. */
export function memory(): { readonly heapBytes: number; readonly rssBytes: number } {
  globalThis.gc!();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed + external };
}
