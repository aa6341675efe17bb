import type { HttpApp } from '@core-infra/testing';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What `/metrics` of the app says now. */
export async function scraped(app: HttpApp) {
  const text = await (await app.fetch('/metrics')).text();
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]): Sample => ({
    name: name!,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key!, text!])),
    value: Number(value),
  }));
  const of = (name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] =>
    samples.filter(
      sample => sample.name === name && Object.entries(labels).every(([key, at]) => sample.labels[key] === at),
    );
  return {
    text,
    of,
    /** Of the one sample with these labels, among others. */
    value(name: string, labels?: Readonly<Record<string, string>>): number | undefined {
      const found = of(name, labels);
      if (found.length > 1) throw new Error(`${name} has ${found.length} samples with ${JSON.stringify(labels)}`);
      return found[0]?.value;
    },
  };
}
