export type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** What stands for every set of labels that came after the bound was reached. */
export const OTHER = 'other';
const longestValue = 128;

/** Sets of labels of one metric, each with what is counted under it. There are never more than `max`, and one for all the others. */
export class BoundedLabels<Name extends string, Counted> {
  private readonly known = new Map<string, Counted>();
  private rest?: Counted;

  constructor(
    private readonly names: readonly Name[],
    private readonly max: number,
    private readonly make: (labels: Labels<Name>) => Counted,
  ) {}

  /** @param values in the order of the names */
  of(...values: readonly string[]): Counted {
    const key = values.length === 1 ? values[0]! : values.join('\n');
    const counted = this.known.get(key);
    if (counted !== undefined) return counted;
    if (this.known.size >= this.max) return (this.rest ??= this.make(this.labels(() => OTHER)));
    const made = this.make(this.labels(at => (values[at] ?? '').slice(0, longestValue)));
    this.known.set(key, made);
    return made;
  }

  private labels(valueAt: (at: number) => string): Labels<Name> {
    return Object.fromEntries(this.names.map((name, at) => [name, valueAt(at)])) as Labels<Name>;
  }
}
