import { DatabaseModule } from '@core-infra/database';
import { Module } from '@nestjs/common';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [DatabaseModule.forFeature([User])],
  controllers: [UsersController],
  providers: [UsersService, Passwords],
  exports: [UsersService],
})
export class UsersModule {}
