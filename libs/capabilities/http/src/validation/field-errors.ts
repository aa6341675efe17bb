import type { ValidationError } from 'class-validator';

/** One message for each field, by its path: `{ 'lines[0].quantity': 'must be a positive integer' }`. */
export function fieldErrorsOf(errors: readonly ValidationError[]): Record<string, string> {
  const found: [string, string][] = [];
  // Not recursive: how deep the errors go is up to whoever sent the input.
  const pending = errors.map(error => ({ error, parent: '' })).reverse();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const path = pathOf(next.parent, next.error.property);
    const messages = Object.values(next.error.constraints ?? {}).map(text => withoutName(text, next!.error.property));
    if (messages.length > 0) found.push([path, messages.join(' and ')]);
    for (const child of (next.error.children ?? []).toReversed()) pending.push({ error: child, parent: path });
  }
  return Object.fromEntries(found);
}

function pathOf(parent: string, property: string): string {
  if (!parent) return property;
  return /^\d+$/.test(property) ? `${parent}[${property}]` : `${parent}.${property}`;
}

/** class-validator begins a message with the property's name, which the path already says. */
function withoutName(text: string, property: string): string {
  for (const start of [`${property} `, `property ${property} `, `nested property ${property} `])
    if (text.startsWith(start)) return text.slice(start.length);
  return text.replace(`each value in ${property} `, 'each value ').replace(`in nested property ${property} `, '');
}
