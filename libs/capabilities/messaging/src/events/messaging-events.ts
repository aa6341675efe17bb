import { channel } from 'node:diagnostics_channel';
import { type DriverSite, sentBy } from '@core-infra/kernel';
import type { DeadReason } from '../stores/dead-letters.js';

/** What became of messages. */
type Happening =
  | {
      readonly kind: 'handled';
      readonly group: string;
      readonly topic: string;
      readonly messages: number;
      readonly durationMs: number;
    }
  /** An attempt has failed; another will follow. */
  | {
      readonly kind: 'retried';
      readonly group: string;
      readonly topic: string;
      readonly mode: 'ordered' | 'fast';
      readonly delayMs: number;
    }
  | { readonly kind: 'dead'; readonly group: string; readonly topic: string; readonly reason: DeadReason }
  /** Put with all later messages of its key where they wait for the next attempt. */
  | { readonly kind: 'parked'; readonly group: string; readonly topic: string; readonly messages: number }
  /** The inbox knew it: it came twice, and was not handled again. */
  | { readonly kind: 'repeated'; readonly group: string; readonly topic: string; readonly messages: number }
  /** Fetching has paused or goes on; the reasons that hold it up. */
  | { readonly kind: 'paused'; readonly group: string; readonly reasons: readonly string[] };

/** What became of messages, on the channel `infra:messaging:event`. Label sets are bounded: no key, no id, no value is in it. */
export type MessagingEvent = Happening & {
  /** The bus: `messaging`, `messaging:audit`. */
  readonly connection: string;
};

export const messagingEvents = channel('infra:messaging:event');

/** Costs nothing without a subscriber. */
export function tell({ id, state }: Pick<DriverSite, 'id' | 'state'>, happening: Happening): void {
  if (messagingEvents.hasSubscribers) messagingEvents.publish(sentBy(state, { ...happening, connection: id }));
}
