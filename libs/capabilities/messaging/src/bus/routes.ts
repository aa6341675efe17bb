import { cloudEventsCodec } from '../codec/cloudevents.codec.js';
import type { Codec, Unsaid } from '../codec/codec.js';
import { jsonCodec, rawCodec } from '../codec/json.codec.js';
import type { MessagingConfig } from '../config/messaging.config.js';
import type { CodecName } from '../config/topic.config.js';
import { BadEventDefinitionError, RouteConflictError } from '../errors.js';
import type { EventDefinition } from '../events/event-definition.js';

interface Route {
  readonly type: string;
  readonly topic: string;
  readonly codec: CodecName;
}

/** Where events of each type go, what they look like there, and what is known of them: by configuration. */
export class Routes {
  private readonly codecs: Record<CodecName, Codec>;
  private readonly byType = new Map<string, Route>();
  /** The first type of each topic: the only one where messages do not say theirs. */
  private readonly byTopic = new Map<string, Route>();
  private readonly definitions = new Map<string, EventDefinition>();

  /** @throws RouteConflictError */
  constructor(
    private readonly config: MessagingConfig,
    private readonly appName: string,
  ) {
    this.codecs = { cloudevents: cloudEventsCodec(config.contentMode), json: jsonCodec, raw: rawCodec };
    for (const type of Object.keys(config.topics)) this.routeOf(type);
    for (const definition of config.events) this.define(definition);
  }

  /**
   * What an event of this type is checked by from now on; the newest version wins.
   * @throws BadEventDefinitionError when the type has two classes of one version, or data that its codec cannot carry
   * @throws RouteConflictError
   */
  define(definition: EventDefinition): void {
    const { type, version, schema } = definition;
    const known = this.definitions.get(type);
    if (known && known.version === version && known.schema !== schema)
      throw new BadEventDefinitionError(type, `version ${version} is defined twice, with different classes`);
    this.checkCarried(definition);
    if (!known || known.version < version) this.definitions.set(type, definition);
  }

  definitionOf(type: string): EventDefinition | undefined {
    return this.definitions.get(type);
  }

  get known(): readonly EventDefinition[] {
    return [...this.definitions.values()];
  }

  /** @throws RouteConflictError when the type cannot be told from another one of its topic */
  topicOf(type: string): string {
    return this.routeOf(type).topic;
  }

  /** What an event is taken to be where its message does not say it. */
  unsaidOf(topic: string): Unsaid {
    const type = this.byTopic.get(topic)?.type ?? topic;
    return { type, version: this.definitions.get(type)?.version ?? 1 };
  }

  /** @throws RouteConflictError */
  codecOf(type: string): Codec {
    return this.codecs[this.routeOf(type).codec];
  }

  codecNameOf(type: string): CodecName {
    return this.routeOf(type).codec;
  }

  /** The codec of a topic, whatever the types on it: all of them share one. */
  codecOfTopic(topic: string): Codec {
    return this.codecs[this.byTopic.get(topic)?.codec ?? this.config.codec];
  }

  groupOf(type: string): string {
    return this.config.topics[type]?.group ?? this.config.group ?? this.appName;
  }

  get source(): string {
    return this.config.source ?? `/${this.appName}`;
  }

  private routeOf(type: string): Route {
    const known = this.byType.get(type);
    if (known) return known;
    const { topics, defaultTopic = type, codec: defaultCodec } = this.config;
    const own = Object.hasOwn(topics, type) ? topics[type]! : {};
    const route: Route = { type, topic: own.topic ?? defaultTopic, codec: own.codec ?? defaultCodec };
    const other = this.byTopic.get(route.topic);
    if (other && (other.codec !== route.codec || route.codec !== 'cloudevents'))
      throw new RouteConflictError(route, other);
    this.byType.set(type, route);
    if (!other) this.byTopic.set(route.topic, route);
    return route;
  }

  /** @throws BadEventDefinitionError */
  private checkCarried({ type, schema }: EventDefinition): void {
    const isBytes = (schema as unknown) === Buffer;
    const codec = this.codecNameOf(type);
    if (codec === 'raw' && !isBytes)
      throw new BadEventDefinitionError(type, 'the codec "raw" carries bytes, and its schema is not Buffer');
    if (codec === 'json' && isBytes)
      throw new BadEventDefinitionError(type, 'the codec "json" carries JSON, and its schema is Buffer');
  }
}
