import type { Type } from '@nestjs/common';

/** Makes data of the next version of one that is older. */
export type Upcast = (data: never) => unknown;

export interface EventOptions<Data extends object> {
  /** Version of the data's shape; a whole number from 1. @default 1 */
  readonly version?: number;
  /** Class of the data, decorated for class-validator: checked when published and when read. */
  readonly schema: Type<Data>;
  /** For each older version that may still be under way, how its data becomes that of the next one. */
  readonly upcast?: Readonly<Record<number, Upcast>>;
  /** What is kept in order, where an event gives no `key` of its own. */
  key?(data: Data): string | undefined;
}

/** What one event is given besides its data. */
export interface EventAttributes {
  /** @default a UUIDv7 */
  readonly id?: string;
  /** Events of one key are handled in the order in which they were published. @default the definition's `key` */
  readonly key?: string;
  /** @default now */
  readonly time?: Date;
  readonly subject?: string;
  /** Lower-case names of letters, digits and dashes; ASCII values without control characters. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An event to be published. */
export interface DomainEvent<Data extends object = object> extends EventAttributes {
  readonly definition: EventDefinition<Data>;
  readonly data: Data;
}

/** The data of a type of events: `EventData<typeof orderPlaced>`. */
export type EventData<Definition> = Definition extends EventDefinition<infer Data> ? Data : never;

/** A type of events: its name, its version, the class of its data. */
export interface EventDefinition<Data extends object = object> {
  readonly type: string;
  readonly version: number;
  readonly schema: Type<Data>;
  readonly upcast: Readonly<Record<number, Upcast>>;
  key?(data: Data): string | undefined;
  /** An event of this type, for `EventBus.publish`. */
  of(data: Data, attributes?: EventAttributes): DomainEvent<Data>;
}
