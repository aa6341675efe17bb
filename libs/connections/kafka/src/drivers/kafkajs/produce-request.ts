import type { Message } from 'kafkajs';
import { correctProtocol } from './protocol.js';

/** Requests of these versions have the same fields. */
const FIRST_VERSION = 3;
const LAST_VERSION = 7;

/** What kafkajs is given in place of records: it finds their broker, and sends them as they are. */
export interface EncodedBatch {
  readonly value: Buffer;
  readonly partition: number;
  readonly batch: Buffer;
}

interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly Partial<EncodedBatch>[] }[];
  }[];
}

interface Exchange {
  readonly request: object;
}

const nothing = Buffer.alloc(0);

/** A batch as kafkajs's producer takes it, in place of messages. */
export function asMessages(partition: number, batch: Buffer): Message[] {
  const encoded: EncodedBatch = { partition, value: nothing, batch };
  return [encoded];
}

/**
 * kafkajs makes half a kilobyte of zeros for each record and each header, and copies every record eight times. Where it is given a batch that is encoded
 * already, that goes into the request as it is; other producers of the process are not touched.
 */
export function correctProduceRequest(): void {
  correctProtocol<ProduceRequest, Exchange>('Produce', 'produce-request', (exchange, request, version) => {
    const batch = request.topicData[0]?.partitions[0]?.messages[0]?.batch;
    if (!batch) return exchange;
    if (version < FIRST_VERSION || version > LAST_VERSION)
      throw new Error(
        `The broker takes records in a form of its own (version ${version}): it is older than Kafka 0.11.`,
      );
    const encode = (): Promise<object> => Promise.resolve(encoderOf(bytesOf(request, batch)));
    return { ...exchange, request: { ...exchange.request, encode } };
  });
}

/** One batch of one partition, without a transaction. */
function bytesOf({ acks, timeout, topicData }: ProduceRequest, batch: Buffer): Buffer {
  const { topic, partitions } = topicData[0]!;
  const name = Buffer.from(topic);
  const bytes = Buffer.allocUnsafe(26 + name.length + batch.length);
  let at = bytes.writeInt16BE(-1, 0);
  at = bytes.writeInt16BE(acks, at);
  at = bytes.writeInt32BE(timeout, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt16BE(name.length, at);
  at += name.copy(bytes, at);
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(partitions[0]!.partition, at);
  at = bytes.writeInt32BE(batch.length, at);
  batch.copy(bytes, at);
  return bytes;
}

/** As far as kafkajs looks at one. */
function encoderOf(bytes: Buffer): object {
  return { buf: bytes, buffer: bytes };
}
