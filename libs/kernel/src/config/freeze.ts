/** Freezes a configuration with the groups, records and lists in it. Buffers, sockets, TLS contexts and other objects with a life of their own stay as they are. */
export function deepFreeze<T extends object>(node: T): T {
  for (const value of Object.values(node)) {
    const freezable = typeof value === 'object' && value !== null && !Object.isFrozen(value);
    if (freezable && (Array.isArray(value) || isConfigOrRecord(value as object))) deepFreeze(value as object);
  }
  return Object.freeze(node);
}

function isConfigOrRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || isOfPlainClass(value);
}

function isOfPlainClass(value: object): boolean {
  const own = (value as { constructor?: unknown }).constructor;
  return (
    typeof own === 'function' &&
    own.length === 0 &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Map) &&
    !(value instanceof Set)
  );
}
