const saneId = /^[\w.:+/=@~-]+$/;
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]+)?$/;
const tracestate = /^[\x20-\x7e]{1,512}$/;
const timeout = /^(\d{1,8})([HMSmun]?)$/;

/** Milliseconds in gRPC's units of a timeout; a bare number is milliseconds. */
const unitMs: Record<string, number> = { '': 1, H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

type Header = string | string[] | undefined;

/**
 * The id, if it is one that may be logged and passed on: letters, digits and `. _ : + / = @ ~ -`, not longer than `maxLength`.
 * A header sent twice arrives joined by a comma, and so is none.
 */
export function saneIdOf(header: Header, maxLength: number): string | undefined {
  return typeof header === 'string' && header.length <= maxLength && saneId.test(header) ? header : undefined;
}

/** A valid `traceparent` (W3C Trace Context, section 3.2). Version 00 has exactly four parts; later ones may have more. */
export function traceparentOf(header: Header): string | undefined {
  if (typeof header !== 'string' || header.length > 256 || !traceparent.test(header)) return undefined;
  return header.startsWith('00-') && header.length !== 55 ? undefined : header;
}

/** A printable `tracestate` of at most 512 characters; it means nothing without a `traceparent`. */
export function tracestateOf(header: Header): string | undefined {
  return typeof header === 'string' && tracestate.test(header) ? header : undefined;
}

/** How long the caller will wait, in milliseconds, at least 1. */
export function timeoutOf(header: Header): number | undefined {
  const match = typeof header === 'string' ? timeout.exec(header) : null;
  return match ? Math.max(1, Math.round(Number(match[1]) * unitMs[match[2]!]!)) : undefined;
}
