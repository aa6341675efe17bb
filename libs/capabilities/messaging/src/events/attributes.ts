import { EventAttributeError } from '../errors.js';
import type { DomainEvent } from './event-definition.js';

const controls = /[\u0000-\u001f\u007f]/;
const headerName = /^[a-z0-9][a-z0-9-]{0,99}$/;
const headerValue = /^[\x20-\x7e]{0,2000}$/;
const reserved = /^(?:ce[-_]|content-type$|event-id$|event-version$|correlation-id$|traceparent$|tracestate$|x-infra-)/;
const longest = 500;

/**
 * Refuses what some broker could not carry, or what would say something else at the other end.
 * @throws EventAttributeError
 */
export function checkAttributes(
  { definition: { type }, id, subject, headers, time }: DomainEvent,
  key: string | undefined,
): void {
  if (id !== undefined) checkText(type, 'id', id);
  if (key !== undefined) checkText(type, 'key', key);
  if (subject !== undefined) checkText(type, 'subject', subject);
  if (time !== undefined && !(time instanceof Date && !Number.isNaN(time.getTime())))
    throw new EventAttributeError(type, 'its time must be a valid Date');
  if (headers) checkHeaders(type, headers);
}

function checkText(type: string, name: string, value: unknown): void {
  if (typeof value !== 'string' || value.length === 0 || value.length > longest || controls.test(value))
    throw new EventAttributeError(
      type,
      `its ${name} must be a text of 1 to ${longest} characters without control characters`,
    );
  if (!value.isWellFormed()) throw new EventAttributeError(type, `its ${name} is not well-formed Unicode`);
}

function checkHeaders(type: string, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!headerName.test(name))
      throw new EventAttributeError(
        type,
        `the header name ${JSON.stringify(name.slice(0, 100))} must consist of lower-case letters, digits and dashes`,
      );
    if (reserved.test(name)) throw new EventAttributeError(type, `the header name "${name}" is used for the envelope`);
    if (typeof value !== 'string' || !headerValue.test(value))
      throw new EventAttributeError(
        type,
        `the header "${name}" must be a text of up to 2000 printable ASCII characters`,
      );
  }
}
