import { validateSync, type ValidationError } from 'class-validator';
import { EventInvalidError, UnknownEventVersionError } from '../errors.js';
import type { CloudEvent } from './cloud-event.js';
import type { EventDefinition } from './event-definition.js';
import { instanceOf } from './instance-of.js';
import { isSurelyValid } from './surely-valid.js';

/**
 * The data as an instance of its class.
 * @throws EventInvalidError
 */
export function checkData<Data extends object>(definition: EventDefinition<Data>, data: unknown): Data {
  const { schema, type } = definition;
  if ((schema as unknown) === Buffer) {
    if (Buffer.isBuffer(data)) return data as never;
    throw new EventInvalidError(type, { '': 'must be a Buffer' });
  }
  // Bytes would pass as they are: class-transformer copies them, and class-validator knows no rule for them.
  if (typeof data !== 'object' || data === null || Array.isArray(data) || ArrayBuffer.isView(data))
    throw new EventInvalidError(type, { '': 'must be an object' });
  let instance: Data;
  let problems: ValidationError[];
  try {
    instance = data instanceof schema ? data : instanceOf(schema, data);
    if (isSurelyValid(instance)) return instance;
    problems = validateSync(instance, { forbidUnknownValues: false, stopAtFirstError: true });
  } catch (error) {
    const problem = error instanceof RangeError ? 'it refers to itself, or is too deep' : String(error).slice(0, 200);
    throw new EventInvalidError(type, { '': `cannot be checked: ${problem}` });
  }
  if (problems.length > 0)
    throw new EventInvalidError(type, Object.fromEntries(problems.flatMap(problem => listed(problem, ''))));
  return instance;
}

/**
 * What is read must fit as well: a date that lacks its `@Type(() => Date)` is a text by then, and each such event would be a dead letter.
 * @throws EventInvalidError
 */
export function checkReadable(definition: EventDefinition, data: object): void {
  if (Buffer.isBuffer(data)) return;
  try {
    checkData(definition, JSON.parse(JSON.stringify(data)));
  } catch (error) {
    if (!(error instanceof EventInvalidError)) return; // the codec says it better
    const problems = Object.entries(error.problems).map(([path, problem]) => [
      path,
      `${problem} once it was JSON (does it lack @Type()?)`,
    ]);
    throw new EventInvalidError(definition.type, Object.fromEntries(problems) as Record<string, string>);
  }
}

function listed({ property, constraints, children }: ValidationError, above: string): [string, string][] {
  const path = /^\d+$/.test(property) ? `${above}[${property}]` : above ? `${above}.${property}` : property;
  const own: [string, string][] = constraints ? [[path, Object.values(constraints).join(', ')]] : [];
  return [...own, ...(children ?? []).flatMap(child => listed(child, path))];
}

/**
 * The event with its data brought up to the version that is known here, and checked.
 * @throws UnknownEventVersionError
 * @throws EventInvalidError
 */
export function checkReceived(definition: EventDefinition, event: CloudEvent): CloudEvent {
  const { version, upcast, type } = definition;
  if (event.version > version) throw new UnknownEventVersionError(type, event.version, version);
  let { data } = event;
  for (let at = event.version; at < version; at += 1) {
    const step = upcast[at];
    if (!step) throw new UnknownEventVersionError(type, event.version, version);
    data = step(data as never);
  }
  return { ...event, version, data: checkData(definition, data) };
}
