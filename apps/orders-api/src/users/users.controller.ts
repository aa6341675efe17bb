import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { IdParam } from '../common/id.param.js';
import {
  CreateUser,
  EmailQuery,
  ProfilesQuery,
  PublicProfile,
  PublicProfiles,
  UpdatePassword,
  UpdateProfile,
  UserAnswer,
} from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @ApiCreatedResponse({ type: UserAnswer })
  async create(@Body() user: CreateUser): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.create(user));
  }

  @Get('by-email')
  @ApiOkResponse({ type: UserAnswer })
  async byEmail(@Query() { email }: EmailQuery): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.byEmail(email));
  }

  @Get('public-profiles')
  @ApiOkResponse({ type: PublicProfiles })
  async publicProfiles(@Query() { ids }: ProfilesQuery): Promise<PublicProfiles> {
    const users = await this.users.publicProfiles(ids);
    return { items: users.map(user => PublicProfile.of(user)) };
  }

  @Get(':id')
  @ApiOkResponse({ type: UserAnswer })
  async byId(@Param() { id }: IdParam): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.byId(id));
  }

  @Patch(':id')
  @ApiOkResponse({ type: UserAnswer })
  async updateProfile(@Param() { id }: IdParam, @Body() profile: UpdateProfile): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.updateProfile(id, profile));
  }

  @Put(':id/password')
  @HttpCode(204)
  @ApiNoContentResponse()
  async updatePassword(@Param() { id }: IdParam, @Body() passwords: UpdatePassword): Promise<void> {
    await this.users.updatePassword(id, passwords);
  }
}
