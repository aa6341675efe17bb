import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'EMAIL_TAKEN', status: 409, fault: 'client', summary: 'Another user has this email address.' })
export class EmailTakenError extends InfraError {
  constructor(options?: ErrorOptions) {
    super('Another user has this email address', '', options);
  }
}

@ErrorSpec({
  code: 'WRONG_CREDENTIALS',
  status: 401,
  fault: 'client',
  summary: 'There is no user with this email address and password.',
})
export class WrongCredentialsError extends InfraError {
  constructor() {
    super('The email address or the password is wrong');
  }
}

@ErrorSpec({
  code: 'WRONG_PASSWORD',
  status: 403,
  fault: 'client',
  summary: 'The current password is not the one given.',
})
export class WrongPasswordError extends InfraError {
  constructor() {
    super('The current password is wrong');
  }
}
