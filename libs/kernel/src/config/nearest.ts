/**
 * The known name that is closest to a mistyped one, if any is close.
 * @param within the largest number of edits that counts as close; a third of the name's length, at least 2, never the whole of it, when left out
 */
export function nearest(name: string, known: Iterable<string>, within?: number): string | undefined {
  const wanted = name.toLowerCase();
  const limit = within ?? Math.min(Math.max(2, Math.floor(name.length / 3)), name.length - 1);
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (!best || distance < best.distance) best = { name: candidate, distance };
  }
  return best && best.distance <= limit ? best.name : undefined;
}

/** The number of single-character edits from `a` to `b`; two neighbours that changed places are one edit. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          previous[j]! + 1,
          row[j - 1]! + 1,
          previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? before[j - 2]! + 1 : Infinity,
        ),
      );
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}
