import { IsIn, IsOptional, IsString, Matches } from 'class-validator';

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
}
