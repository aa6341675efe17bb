import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_NOT_A_CONCERN', summary: 'CoreInfraModule was handed something that is no concern.' })
export class NotAConcernError extends InfraError {
  constructor(readonly received: string) {
    super(
      `CoreInfraModule was handed ${received} as a concern.`,
      'Hand it a module class with forRootAsync (DatabaseModule), or what its forRoot or forRootAsync returned.',
    );
  }
}

@ErrorSpec({ code: 'INFRA_PORT_IN_USE', summary: 'The HTTP port is taken by another process.' })
export class PortInUseError extends InfraError {
  constructor(
    readonly port: number,
    readonly host: string,
    options?: ErrorOptions,
  ) {
    super(
      `Port ${port} on ${host} is taken.`,
      'Stop the process that listens there, or set another one with HTTP_PORT (or PORT).',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_CANNOT_LISTEN', summary: 'The HTTP server could not listen on its address.' })
export class CannotListenError extends InfraError {
  constructor(
    readonly port: number,
    readonly host: string,
    options?: ErrorOptions,
  ) {
    super(
      `The HTTP server cannot listen on ${host}:${port}.`,
      'Set HTTP_HOST to an address of this machine, and HTTP_PORT to a port that this user may open.',
      options,
    );
  }
}
