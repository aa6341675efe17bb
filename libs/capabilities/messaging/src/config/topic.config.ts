import { IsArray, IsIn, IsOptional, IsString, Length, Matches, validateSync } from 'class-validator';

/** What a topic's messages look like: an envelope of CloudEvents; bare JSON data, its type known from the topic; bytes. */
export type CodecName = 'cloudevents' | 'json' | 'raw';

/** Where events of a type go and come from. */
export class TopicConfig {
  /** Topic, subject, queue or exchange. @default the type */
  @IsOptional()
  @IsString()
  @Matches(/^[\w.-]{1,200}$/, { message: 'must consist of letters, digits, dots, dashes and underscores' })
  topic?: string;

  /** @default `messaging.codec` */
  @IsOptional()
  @IsIn(['cloudevents', 'json', 'raw'])
  codec?: CodecName;

  /** The group of handlers that name none. @default `messaging.group` */
  @IsOptional()
  @IsString()
  @Matches(/^[\w.-]{1,200}$/, { message: 'must consist of letters, digits, dots, dashes and underscores' })
  group?: string;

  /**
   * Groups for which the broker keeps each event of the type from the moment at which this process connects, though no member of them has ever run.
   * Where a group is made by its first subscription, they would miss what is published before it. @default none
   */
  @IsOptional()
  @IsArray()
  @Matches(/^[\w.-]{1,200}$/, { each: true, message: 'must consist of letters, digits, dots, dashes and underscores' })
  groups?: readonly string[];

  /**
   * Exchange that is there already, of another system: events are published to it, and a group's queue is bound to it; it is not declared. Read by the
   * driver `rabbitmq`. @default `messaging.rabbitmq.exchange`, which is made
   */
  @IsOptional()
  @Length(1, 255)
  exchange?: string;

  /** Routing key of `exchange`, published with and bound by; may be empty. Read by the driver `rabbitmq`. @default the topic */
  @IsOptional()
  @Length(0, 255)
  routingKey?: string;

  /**
   * Queue that is there already, by its whole name: the group consumes from it, and without `exchange` events are published to it; it is neither declared
   * nor bound. Read by the driver `rabbitmq`. @default queues of the group's own, which are made
   */
  @IsOptional()
  @Length(1, 255)
  queue?: string;

  /** Subject of a stream that is there already, published to and consumed from. Read by the driver `nats`. @default one of the topic, in a stream that is made */
  @IsOptional()
  @Matches(/^[^\s.*>]+(?:\.[^\s.*>]+)*$/, { message: 'must be a subject without wildcards' })
  @Length(1, 255)
  subject?: string;

  /** Stream that has `subject`; it is not made or changed. Read by the driver `nats`. @default the one that has the subject */
  @IsOptional()
  @Matches(/^[^\s.*>/\\]{1,255}$/, { message: 'must be a name without spaces, dots, wildcards and slashes' })
  stream?: string;
}

const fields = ['topic', 'codec', 'group', 'groups', 'exchange', 'routingKey', 'queue', 'subject', 'stream'];
/** What makes sense only beside another one. */
const beside = { routingKey: 'exchange', stream: 'subject' } as const;

/** What stands for a topic at a broker though nobody here has made it. */
export type TopicAddress = Pick<TopicConfig, (typeof addressed)[number]>;
const addressed = ['exchange', 'routingKey', 'queue', 'subject', 'stream'] as const;

/** A group whose events of a topic are kept before it has a member. */
export interface DeclaredGroup {
  readonly group: string;
  readonly topic: string;
}

/** The groups that are declared in advance; each pair once. */
export function declaredGroups(config: {
  readonly topics: Readonly<Record<string, TopicConfig>>;
  readonly defaultTopic?: string;
}): readonly DeclaredGroup[] {
  const declared = new Map<string, DeclaredGroup>();
  for (const [type, { topic = config.defaultTopic ?? type, groups = [] }] of Object.entries(config.topics))
    for (const group of groups) declared.set(`${group}/${topic}`, { group, topic });
  return [...declared.values()];
}

/** The addresses of topics that have one, by topic: types that share a topic share what one of them says. */
export function addressesOf(config: {
  readonly topics: Readonly<Record<string, TopicConfig>>;
  readonly defaultTopic?: string;
}): ReadonlyMap<string, TopicAddress> {
  const addresses = new Map<string, TopicAddress>();
  for (const [type, entry] of Object.entries(config.topics)) {
    const said = addressed.filter(field => entry[field] !== undefined);
    if (said.length === 0) continue;
    const topic = entry.topic ?? config.defaultTopic ?? type;
    const own = Object.fromEntries(said.map(field => [field, entry[field]]));
    addresses.set(topic, { ...addresses.get(topic), ...own });
  }
  return addresses;
}

/** What is wrong with the entries of `topics`, by their path. */
export function* problemsOfTopics(
  topics: Readonly<Record<string, unknown>>,
  defaultTopic?: string,
): Iterable<{ path: string; expected: string }> {
  for (const [type, entry] of Object.entries(topics)) {
    const path = `topics.${type}`;
    if (!/^[\w.-]{1,200}$/.test(type))
      yield { path, expected: 'a type of events: letters, digits, dots, dashes and underscores' };
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      yield { path, expected: `an object of ${fields.join(', ')}` };
      continue;
    }
    for (const name of Object.keys(entry))
      if (!fields.includes(name)) yield { path: `${path}.${name}`, expected: `one of ${fields.join(', ')}` };
    for (const { property, constraints } of validateSync(Object.assign(new TopicConfig(), entry), {
      forbidUnknownValues: false,
    }))
      yield {
        path: `${path}.${property}`,
        expected: Object.values(constraints ?? {})
          .map(message => message.replace(`${property} must be `, ''))
          .join(' and '),
      };
    for (const [field, other] of Object.entries(beside))
      if (field in entry && !(other in entry)) yield { path: `${path}.${field}`, expected: `beside ${other}` };
  }
  yield* contradictions(topics, defaultTopic);
}

/** A topic has one address. */
function* contradictions(
  topics: Readonly<Record<string, unknown>>,
  defaultTopic: string | undefined,
): Iterable<{ path: string; expected: string }> {
  const said = new Map<string, { readonly type: string; readonly value: unknown }>();
  for (const [type, entry] of Object.entries(topics)) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { topic = defaultTopic ?? type } = entry as TopicConfig;
    for (const field of addressed) {
      const value = (entry as TopicConfig)[field];
      const other = said.get(`${topic} ${field}`);
      if (value === undefined) continue;
      if (!other) said.set(`${topic} ${field}`, { type, value });
      else if (other.value !== value)
        yield {
          path: `topics.${type}.${field}`,
          expected: `the same as topics.${other.type}.${field}, whose topic it shares`,
        };
    }
  }
}
