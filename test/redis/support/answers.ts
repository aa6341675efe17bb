/** What each process has to answer, as far as that is certain; a note is uncertain while it is written, and where it was not written until all agree again. */
export class Answers {
  /** What differed, and should not have. */
  readonly wrong: string[] = [];
  private readonly written = new Map<string, string>();
  private readonly certain = new Map<string, Map<string, string>>();

  constructor(
    private readonly urls: readonly string[],
    notes: Iterable<[id: string, text: string]>,
  ) {
    this.written = new Map(notes);
    this.allAgree();
  }

  /** From now on each process has to know all that was written. */
  allAgree(): void {
    for (const url of this.urls) this.certain.set(url, new Map(this.written));
  }

  /** The process that writes has to know it as soon as it has said that it is done. */
  async write(url: string, id: string, text: string, put: () => Promise<void>): Promise<void> {
    for (const notes of this.certain.values()) notes.delete(id);
    await put();
    this.written.set(id, text);
    this.certain.get(url)!.set(id, text);
  }

  /** To be called when a note is asked for; what it returns checks the answer. */
  asked(url: string, id: string): (text: string) => void {
    const expected = this.certain.get(url)!.get(id);
    return text => {
      const isCertain = expected !== undefined && this.certain.get(url)!.get(id) === expected;
      if (isCertain && text !== expected) this.wrong.push(`${url} said "${text}" of ${id}, which is "${expected}"`);
    };
  }

  /** What is written in each note. */
  get notes(): ReadonlyMap<string, string> {
    return this.written;
  }
}
