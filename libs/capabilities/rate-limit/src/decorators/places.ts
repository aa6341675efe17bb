/** How Nest's decorators mark classes and methods; the packages that set the last one need not be installed. */
const CONTROLLER = '__controller__';
const ROUTE = 'method';
const PATTERN = 'microservices:pattern';
const GUARDS = '__guards__';

export function isController(target: object | undefined): boolean {
  return target !== undefined && Reflect.hasMetadata(CONTROLLER, target);
}

export function isRoute(method: object): boolean {
  return Reflect.hasMetadata(ROUTE, method);
}

export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(PATTERN, method);
}

/** Whether Nest calls the method for requests or messages, with its guards before it. */
export function isHandler(method: object, target: object | undefined): boolean {
  return isController(target) && (isRoute(method) || isMessageHandler(method));
}

/** The guards that `@UseGuards()` names on a handler and on its class. */
export function guardsOn(method: object, target: object): readonly unknown[] {
  return [target, method].flatMap(at => (Reflect.getMetadata(GUARDS, at) as unknown[] | undefined) ?? []);
}
