import { channel } from 'node:diagnostics_channel';
import type { DeadReason } from '../stores/dead-letters.js';

/** What became of messages, on the channel `infra:messaging:event`. Label sets are bounded: no key, no id, no value is in it. */
export type MessagingEvent =
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

export const messagingEvents = channel('infra:messaging:event');

/** Costs nothing without a subscriber. */
export function tell(event: MessagingEvent): void {
  if (messagingEvents.hasSubscribers) messagingEvents.publish(event);
}
