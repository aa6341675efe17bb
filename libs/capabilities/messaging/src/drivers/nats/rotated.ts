/** Begins anywhere, so that members who look at the same moment do not want the same. */
export function rotated(numbers: readonly number[]): number[] {
  const from = Math.floor(Math.random() * numbers.length);
  return [...numbers.slice(from), ...numbers.slice(0, from)];
}
