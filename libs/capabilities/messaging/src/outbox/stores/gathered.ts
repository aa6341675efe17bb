interface Waiting<Item> {
  readonly items: readonly Item[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes together what comes while something is being written: hundreds of small calls take a few statements. */
export class Gathered<Item> {
  private readonly waiting: Waiting<Item>[] = [];
  private isWriting = false;

  /** @param write may be called again with what it has written */
  constructor(
    private readonly write: (items: readonly Item[]) => Promise<unknown>,
    private readonly sizeOf: (item: Item) => number,
    private readonly most: { readonly items: number; readonly bytes: number },
  ) {}

  /** Resolves when all are written; rejects with why these cannot be. */
  add(items: readonly Item[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ items, resolve, reject });
      if (!this.isWriting) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      const batch = this.nextBatch();
      const isWhole = await this.tryWrite(batch);
      // One that cannot be written must not fail the others.
      if (!isWhole) for (const each of batch) await this.writeAlone(each);
    }
    this.isWriting = false;
  }

  private nextBatch(): readonly Waiting<Item>[] {
    let [count, bytes, items] = [0, 0, 0];
    while (count < this.waiting.length && items < this.most.items && bytes < this.most.bytes) {
      const next = this.waiting[count]!.items;
      items += next.length;
      for (const item of next) bytes += this.sizeOf(item);
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async tryWrite(batch: readonly Waiting<Item>[]): Promise<boolean> {
    if (batch.length === 1) return false;
    try {
      await this.write(batch.flatMap(({ items }) => items));
    } catch {
      return false; // each is told its own reason
    }
    for (const { resolve } of batch) resolve();
    return true;
  }

  private async writeAlone({ items, resolve, reject }: Waiting<Item>): Promise<void> {
    try {
      await this.write(items);
      resolve();
    } catch (error) {
      reject(error);
    }
  }
}
