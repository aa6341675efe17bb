import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { listenPlainly } from './listen.js';
import { OrdersController, OrdersService, prefix } from './orders.js';
import { serve } from './serve.js';

// Nest on Fastify and nothing else.

@Module({ controllers: [OrdersController], providers: [OrdersService] })
class AppModule {}

serve(() => listenPlainly(AppModule, app => app.setGlobalPrefix(prefix)));
