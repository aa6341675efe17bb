import { createRequire } from 'node:module';

/** A kind of request of kafkajs, by the versions of which it makes exchanges. */
export interface Definition<Request, Exchange> {
  protocol(of: { version: number }): (request: Request) => Exchange;
}

/** Corrects once for the process how kafkajs puts together requests of a kind, or understands their answers. */
export function correctProtocol<Request, Exchange>(
  kind: 'Fetch' | 'Produce',
  name: string,
  correct: (exchange: Exchange, request: Request, version: number) => Exchange,
): void {
  const corrected = Symbol.for(`core-infra.kafka.${name}`);
  const { requests } = createRequire(__filename)('kafkajs/src/protocol/requests') as {
    requests: Record<string, Definition<Request, Exchange> & { [corrected]?: true }>;
  };
  const definition = requests[kind]!;
  if (definition[corrected]) return;
  definition[corrected] = true;
  const protocol = definition.protocol.bind(definition);
  definition.protocol = of => {
    const make = protocol(of);
    return request => correct(make(request), request, of.version);
  };
}
