import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'NO_SESSION', status: 401, fault: 'client', summary: 'There is no session, or it has ended.' })
export class NoSessionError extends InfraError {
  constructor() {
    super('There is no session, or it has ended', 'Log in: POST /sessions');
  }
}
