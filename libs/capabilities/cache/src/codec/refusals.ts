import type { CodecSite } from './value.codec.js';

/** Why bytes were not decoded. */
export type Refusal = 'tampered' | 'not-encrypted' | 'unknown-key' | 'unknown-format' | 'damaged' | 'not-loaded';

/** At most one line for each reason in this time, in milliseconds. */
const LINE_EVERY_MS = 60_000;

const messages: Readonly<Record<Refusal, string>> = {
  tampered: 'A cached value was tampered with, or moved from another key; it counts as missing',
  'not-encrypted': 'A cached value is not encrypted, although keys are set; it counts as missing',
  'unknown-key':
    'A cached value was encrypted with a key that is not in cache.codec.encryption.keys; it counts as missing',
  'unknown-format': 'A cached value has a format that this version does not know; it counts as missing',
  damaged: 'A cached value cannot be read; it counts as missing',
  'not-loaded': 'A cached value was written by another serialiser, which is being loaded; it counts as missing',
};

const security: ReadonlySet<Refusal> = new Set<Refusal>(['tampered', 'not-encrypted']);

/** Says what was refused, and not once for each value of a whole store. */
export class Refusals {
  private readonly lines = new Map<Refusal, { silentUntil: number; since: number }>();

  constructor(private readonly site: CodecSite) {}

  tell(reason: Refusal): void {
    const now = this.site.clock.monotonic();
    const line = this.lines.get(reason);
    if (line && now < line.silentUntil) {
      line.since += 1;
      return;
    }
    this.lines.set(reason, { silentUntil: now + LINE_EVERY_MS, since: 0 });
    const fields = { reason, notReported: line?.since ?? 0, ...(security.has(reason) && { security: true }) };
    if (reason === 'not-loaded' || reason === 'unknown-format') this.site.logger.debug(messages[reason], fields);
    else this.site.logger.warn(messages[reason], fields);
  }
}
