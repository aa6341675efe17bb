import { cloudEventsCodec } from '../codec/cloudevents.codec.js';
import type { Codec } from '../codec/codec.js';
import { jsonCodec, rawCodec } from '../codec/json.codec.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import type { CodecName } from '../config/topic.config.js';
import type { EventDefinition } from '../events/event-definition.js';

/** Where events of each type go, what they look like there, and what is known of them: by configuration. */
export class Routes {
  private readonly codecs: Record<CodecName, Codec>;
  /** The type of a topic whose messages do not say it. */
  private readonly typeByTopic = new Map<string, string>();
  private readonly definitions = new Map<string, EventDefinition>();

  constructor(
    private readonly config: MessagingConfig,
    private readonly appName: string,
  ) {
    this.codecs = { cloudevents: cloudEventsCodec(config.contentMode), json: jsonCodec, raw: rawCodec };
    for (const [type, { topic }] of Object.entries(config.topics)) if (topic) this.typeByTopic.set(topic, type);
    for (const definition of config.events) this.define(definition);
  }

  /** What an event of this type is checked by from now on; the newest version wins. */
  define(definition: EventDefinition): void {
    const known = this.definitions.get(definition.type);
    if (!known || known.version < definition.version) this.definitions.set(definition.type, definition);
  }

  definitionOf(type: string): EventDefinition | undefined {
    return this.definitions.get(type);
  }

  get known(): readonly EventDefinition[] {
    return [...this.definitions.values()];
  }

  topicOf(type: string): string {
    return this.config.topics[type]?.topic ?? this.config.defaultTopic ?? type;
  }

  /** What an event is told to be where its message does not say it. */
  typeOf(topic: string): string {
    return this.typeByTopic.get(topic) ?? topic;
  }

  codecOf(type: string): Codec {
    return this.codecs[this.config.topics[type]?.codec ?? this.config.codec];
  }

  /** The codec of a topic, whatever the types on it: all of them share one. */
  codecOfTopic(topic: string): Codec {
    return this.codecOf(this.typeOf(topic));
  }

  groupOf(type: string): string {
    return this.config.topics[type]?.group ?? this.config.group ?? this.appName;
  }

  get source(): string {
    return this.config.source ?? `/${this.appName}`;
  }
}
