/** What `INFO` and `CLUSTER INFO` say, by name. */
export type Info = Readonly<Record<string, string>>;

export function parseInfo(text: string): Info {
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter(line => line.includes(':') && !line.startsWith('#'))
      .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** A number of `INFO`; `undefined` where this server says nothing of it. */
export function numberOf(info: Info, name: string): number | undefined {
  const value = Number(info[name] ?? NaN);
  return Number.isNaN(value) ? undefined : value;
}
