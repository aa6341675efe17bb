import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { SessionsController } from './sessions.controller.js';

@Module({ imports: [UsersModule], controllers: [SessionsController] })
export class LoginModule {}
