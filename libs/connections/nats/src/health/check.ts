import type { CheckResult } from '@core-infra/kernel';
import { DiscardPolicy, JetStreamApiError, type StreamInfo } from '@nats-io/jetstream';
import { NatsRefusedError } from '../errors.js';
import { diagnoseMissing, diagnoseReply } from '../link/diagnose.js';
import type { Link } from '../link/link.js';
import type { NatsIoClient } from '../drivers/nats-io.client.js';

/** JetStream's number for a message that is refused as it is meant for another stream. */
const OTHER_STREAM = 10_060;
/** And for one that is full. */
const MAX_MESSAGES = 10_077;

/** Reachable and logged in, the streams and consumers there, messages taken; a lag over its threshold is degraded. */
export async function checkNats(link: Link, client: NatsIoClient): Promise<CheckResult> {
  const { health } = link.config;
  link.assertUp();
  await link.ask('answer a ping', () => link.current.flush());
  const { info } = link.current;
  const consumers = [...client.consumers];
  const streams = new Set([...health.streams, ...consumers.map(({ stream }) => stream)]);
  const result: CheckResult = { server: info?.server_name, version: info?.version, pending: client.publisher.pending };
  if (streams.size === 0) return result;
  const messages: Record<string, number> = {};
  const manager = await link.manager();
  for (const stream of streams) {
    const found = await link.ask(
      `look at the stream ${stream}`,
      () => manager.streams.info(stream),
      error => diagnoseMissing(error, stream),
    );
    messages[stream] = found.state.messages;
    assertRoom(found);
    if (client.publisher.proven.has(stream)) continue;
    await takes(link, found);
    client.publisher.proven.add(stream);
  }
  const lags: Record<string, unknown> = {};
  let degraded: string | undefined;
  for (const { stream, name } of consumers) {
    const lag = await client.lag(stream, name);
    lags[`${stream}/${name}`] = lag;
    if (health.maxPending !== undefined && lag.pending > health.maxPending)
      degraded ??= `${lag.pending} messages wait for ${stream}/${name}, more than health.maxPending (${health.maxPending})`;
    if (health.maxAckPending !== undefined && lag.ackPending > health.maxAckPending)
      degraded ??= `${lag.ackPending} messages of ${stream}/${name} are not acknowledged, more than health.maxAckPending (${health.maxAckPending})`;
  }
  return { ...result, messages, ...(consumers.length > 0 && { lags }), ...(degraded !== undefined && { degraded }) };
}

/** A stream that drops nothing for what is new takes nothing once it is full. */
function assertRoom({ config, state }: StreamInfo): void {
  const { name, discard, max_msgs: maxMessages, max_bytes: maxBytes } = config;
  const isFull = (maxMessages > 0 && state.messages >= maxMessages) || (maxBytes > 0 && state.bytes >= maxBytes);
  if (discard === DiscardPolicy.New && isFull)
    throw new NatsRefusedError(`messages of the stream ${name}`, 'it is full', MAX_MESSAGES);
}

/**
 * A message that the stream's leader looks at and keeps not, since it is said to be meant for another stream. Who subscribes to the subject by core NATS
 * gets it all the same, so it is sent once for each connection, and not where something was published anyway.
 */
async function takes(link: Link, { config }: StreamInfo): Promise<void> {
  const [pattern] = config.subjects ?? [];
  // A mirror has no subjects, and takes no messages.
  if (pattern === undefined) return;
  const subject = pattern.replace(/(^|\.)\*(?=\.|$)/g, '$1core-infra-health').replace(/>$/, 'core-infra-health');
  const ask = (): Promise<unknown> =>
    link.jetstream.publish(subject, '', {
      expect: { streamName: 'core-infra-health' },
      timeout: link.config.commandTimeoutMs,
    });
  await link.ask(`take a message for the stream ${config.name}`, async () => {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === OTHER_STREAM))
        throw diagnoseReply(error, `keep a message of ${subject}`, subject);
    }
  });
}
