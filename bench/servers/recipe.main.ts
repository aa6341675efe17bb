import 'reflect-metadata';
import { Catch, Controller, Get, Module, ValidationPipe } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_FILTER, APP_PIPE, BaseExceptionFilter } from '@nestjs/core';
import { HealthCheck, HealthCheckService, MemoryHealthIndicator, TerminusModule } from '@nestjs/terminus';
import { ClsModule } from 'nestjs-cls';
import { Logger, LoggerModule } from 'nestjs-pino';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { listenPlainly } from './listen.js';
import { OrdersController, OrdersService, prefix } from './orders.js';
import { serve } from './serve.js';

// The same abilities as the whole stack of Core Infra, wired by hand from the packages' own documentation: configuration,
// a context with a request id, a JSON log with an access log and redaction, health, validation, an error filter.

const requestId = (request: IncomingMessage): string => String(request.headers['x-request-id'] ?? randomUUID());

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly memory: MemoryHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.memory.checkHeap('heap', 2 ** 32)]);
  }
}

@Catch()
class ErrorFilter extends BaseExceptionFilter {}

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, cache: true, ignoreEnvFile: true }),
    ClsModule.forRoot({ global: true, middleware: { mount: true, generateId: true, idGenerator: requestId } }),
    LoggerModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        pinoHttp: {
          level: config.get<string>('LOG_LEVEL', 'info'),
          genReqId: requestId,
          redact: ['req.headers.authorization', 'req.headers.cookie', 'password', '*.password', 'token', '*.token'],
        },
        forRoutes: ['{*path}'],
      }),
    }),
    TerminusModule,
  ],
  controllers: [OrdersController, HealthController],
  providers: [
    OrdersService,
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true, transform: true }) },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
class AppModule {}

serve(() =>
  listenPlainly(
    AppModule,
    app => {
      app.useLogger(app.get(Logger));
      app.setGlobalPrefix(prefix, { exclude: ['health'] });
    },
    { bufferLogs: true },
  ),
);
