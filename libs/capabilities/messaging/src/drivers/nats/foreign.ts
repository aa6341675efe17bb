import { type NatsClient, NatsMissingError } from '@core-infra/nats';
import { NatsSubjectError } from './errors.js';

const STREAM_NOT_FOUND = 10_059;

/**
 * The stream of another system that has the subject, which is looked at and not changed.
 * @throws NatsMissingError, NatsSubjectError
 */
export async function streamOf(
  client: NatsClient,
  topic: string,
  subject: string,
  name: string | undefined,
): Promise<string> {
  const manager = await client.jetstreamManager();
  if (name === undefined) {
    const { value } = await manager.streams.names(subject)[Symbol.asyncIterator]().next();
    if (value === undefined) throw new NatsSubjectError(topic, subject);
    return value as string;
  }
  const { config } = await manager.streams.info(name).catch((error: unknown) => {
    throw isMissing(error) ? new NatsMissingError('stream', name, { cause: error }) : error;
  });
  const { subjects, mirror, sources = [] } = config;
  // What comes from other streams has their subjects.
  const isOwn = !mirror && sources.length === 0;
  if (isOwn && !subjects.some(pattern => covers(pattern, subject)))
    throw new NatsSubjectError(topic, subject, name, subjects);
  return name;
}

/** Whether that is what the server says of a stream. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: number }).code === STREAM_NOT_FOUND;
}

/** Whether a subject is one of those that a pattern with wildcards stands for. */
export function covers(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const words = subject.split('.');
  for (const [at, word] of wanted.entries()) {
    if (word === '>') return words.length > at;
    if (word !== '*' && word !== words[at]) return false;
    if (at >= words.length) return false;
  }
  return wanted.length === words.length;
}
