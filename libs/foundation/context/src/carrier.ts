import type { RunningContext } from './running.context.js';

/** Node's request carries its context, for those who meet it outside of the asynchronous scope. */
const BEGUN: unique symbol = Symbol('core-infra:begun');

type Carrier = object & { [BEGUN]?: RunningContext };

export function carry(request: object, context: RunningContext): void {
  (request as Carrier)[BEGUN] = context;
}

export function contextOf(request: object): RunningContext | undefined {
  return (request as Carrier)[BEGUN];
}
