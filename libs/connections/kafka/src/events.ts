import { channel, type Channel } from 'node:diagnostics_channel';

/** An event on the channel `infra:kafka:event`. Keys, values and headers are never in it. */
export type KafkaEvent =
  /** Records were acknowledged, or given up. */
  | {
      readonly kind: 'produced' | 'failed';
      readonly connection: string;
      readonly topic: string;
      readonly records: number;
      readonly bytes: number;
    }
  /** Records were read. */
  | {
      readonly kind: 'consumed';
      readonly connection: string;
      readonly topic: string;
      readonly group: string;
      readonly records: number;
    }
  /** A member of a group has other partitions. */
  | {
      readonly kind: 'assigned' | 'revoked' | 'lost';
      readonly connection: string;
      readonly group: string;
      readonly partitions: number;
    };

/** Free when nobody subscribes. */
export const kafkaEvents: Channel<unknown, KafkaEvent> = channel('infra:kafka:event') as Channel<unknown, KafkaEvent>;
