import { defineBehaviour } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AppFilters } from './errors/app-filters.js';
import { ErrorResponder } from './errors/error-responder.js';
import { HttpErrorFilter } from './errors/http-error.filter.js';
import { HttpConfig } from './http.config.js';
import { HttpContributor } from './http.contributor.js';
import { InputPipe } from './validation/input.pipe.js';

const http = defineBehaviour({
  name: 'http',
  config: HttpConfig,
  providers: [
    AppFilters,
    ErrorResponder,
    HttpContributor,
    HttpErrorFilter,
    { provide: APP_FILTER, useExisting: HttpErrorFilter },
    { provide: APP_PIPE, useClass: InputPipe },
  ],
});

/** Error answers, input validation, lists, prefix and OpenAPI page of an HTTP API, on Express and Fastify alike. */
@Module({})
export class HttpModule extends http {}
