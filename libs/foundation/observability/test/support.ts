import { once } from 'node:events';
import { connect } from 'node:net';
import type { HttpApp } from '@core-infra/testing';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly response: Response;
  readonly text: string;
  readonly samples: readonly Sample[];
  /** `# TYPE` by name. */
  readonly types: ReadonlyMap<string, string>;
  /** The value of the one sample with these labels, among others. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  of(name: string): readonly Sample[];
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/** Asks a listening app, as Prometheus does, and reads every line of the answer: what is not in the format is an error. */
export async function scrape(app: HttpApp, path = '/metrics', headers: Record<string, string> = {}): Promise<Scrape> {
  const response = await app.fetch(path, { headers });
  const text = await response.text();
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  if (response.status === 200)
    for (const row of text.split('\n')) {
      const type = /^# TYPE (\S+) (\S+)$/.exec(row);
      if (type) types.set(type[1]!, type[2]!);
      if (row === '' || row.startsWith('# ')) continue;
      const [, name, inner = '', value] = line.exec(row) ?? [];
      if (name === undefined || Number.isNaN(numberOf(value!))) throw new Error(`Not a line of metrics: ${row}`);
      samples.push({
        name,
        labels: Object.fromEntries([...inner.matchAll(label)].map(([, key, text]) => [key!, text!])),
        value: numberOf(value!),
      });
    }
  const of = (name: string): readonly Sample[] => samples.filter(sample => sample.name === name);
  return {
    response,
    text,
    samples,
    types,
    of,
    value(name, labels = {}) {
      const found = of(name).filter(sample => Object.entries(labels).every(([key, at]) => sample.labels[key] === at));
      if (found.length > 1) throw new Error(`${name} has ${found.length} samples with ${JSON.stringify(labels)}`);
      return found[0]?.value;
    },
  };
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** Sends requests one behind the other on one connection, and resolves when all are answered. */
export async function pipeline(url: string, requests: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.resume();
  socket.write(requests.join(''));
  socket.write('HEAD /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
}
