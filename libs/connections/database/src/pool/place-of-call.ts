/** A stack that is put into words only when somebody asks for it. */
export interface Place {
  readonly stack?: string;
}

/** The stack of whoever calls; some microseconds, so it is taken once for a connection that is kept, not for every statement. */
export function placeOfCall(): Place {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const place: Place = {};
  Error.captureStackTrace(place, placeOfCall);
  Error.stackTraceLimit = limit;
  return place;
}

/** The frames of the app, at most eight: what pools, TypeORM and Node do on the way says nothing of the place. */
export function appFrames({ stack = '' }: Place): string[] {
  return stack.split('\n').slice(1).filter(isOfTheApp).slice(0, 8);
}

const passedThrough =
  /node_modules[\\/](typeorm|pg|pg-pool|@nestjs|@nestjs-cls|nestjs-cls)[\\/]|src[\\/]driver[\\/]postgres|node:|[\\/](watched-runner|watched-pool|shared-entity-manager|infra-data-source|transactions)\.[jt]s/;

function isOfTheApp(line: string): boolean {
  return !passedThrough.test(line);
}
