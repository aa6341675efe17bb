/** Whether it is an object of texts, as headers are. */
export function isTexts(given: unknown): given is Record<string, string> {
  if (typeof given !== 'object' || given === null) return false;
  return Object.values(given).every(value => typeof value === 'string');
}
