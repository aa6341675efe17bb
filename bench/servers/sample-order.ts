export interface SampleOrder {
  readonly id: string;
  readonly customer: string;
  readonly status: string;
  readonly totalMinor: number;
  readonly currency: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly priceMinor: number }[];
}

/** What the cache cases keep: about 300 bytes of JSON, another one for each number. */
export function orderOf(at: number): SampleOrder {
  const lines = [1, 2, 3].map(line => ({ sku: `SKU-${at}-${line}`, quantity: line, priceMinor: 1_250 * line }));
  return { id: String(at), customer: `c-${at}`, status: 'paid', totalMinor: 17_500, currency: 'EUR', lines };
}
