import { bootstrap } from '@core-infra/core';
import { AppModule } from './app.module.js';

void bootstrap(AppModule, { adapter: 'fastify' });
