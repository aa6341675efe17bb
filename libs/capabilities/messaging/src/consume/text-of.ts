const longest = 2_000;

/** What an error says, whatever was thrown. */
export function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error).slice(0, longest);
  } catch {
    return 'something was thrown that cannot be made a text of';
  }
}
