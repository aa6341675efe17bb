import { createHash } from 'node:crypto';
import type { KafkaMessagingConfig } from '../../config/kafka-messaging.config.js';

/** What Kafka allows. */
const longest = 249;

/** Names of the topics that a group has beside those it reads. */
export class KafkaNames {
  constructor(private readonly config: KafkaMessagingConfig) {}

  retry(topic: string, group: string): string {
    return fill(this.config.retryTopic, topic, group);
  }

  parked(topic: string, group: string): string {
    return fill(this.config.parkedTopic, topic, group);
  }

  deadLetters(group: string): string {
    return fill(this.config.deadLetterTopic, '', group);
  }

  isOfDeadLetters(topic: string): boolean {
    const [before, after] = this.config.deadLetterTopic.split('{group}', 2) as [string, string];
    return topic.length > before.length + after.length && topic.startsWith(before) && topic.endsWith(after);
  }
}

/** One that would be too long keeps its beginning, and is told from others by a digest. */
function fill(template: string, topic: string, group: string): string {
  const name = template.replaceAll('{topic}', () => topic).replaceAll('{group}', () => group);
  if (name.length <= longest) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const end = template.slice(template.lastIndexOf('}') + 1);
  return `${name.slice(0, longest - digest.length - end.length - 1)}-${digest}${end}`;
}
