import { IsIn, IsOptional, IsString, Matches, validateSync } from 'class-validator';

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

const fields = ['topic', 'codec', 'group'];

/** What is wrong with the entries of `topics`, by their path. */
export function* problemsOfTopics(
  topics: Readonly<Record<string, unknown>>,
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
  }
}
