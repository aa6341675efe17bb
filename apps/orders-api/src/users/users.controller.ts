import { ApiErrors, ResourceNotFoundError } from '@core-infra/http';
import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
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
import { EmailTakenError, WrongPasswordError } from './users.errors.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @ApiCreatedResponse({ type: UserAnswer })
  @ApiOperation({ summary: 'Create a user' })
  @ApiErrors(EmailTakenError)
  async create(@Body() user: CreateUser): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.create(user));
  }

  @Get('by-email')
  @ApiOkResponse({ type: UserAnswer })
  @ApiOperation({ summary: 'Find a user by email address' })
  @ApiErrors(ResourceNotFoundError)
  async byEmail(@Query() { email }: EmailQuery): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.byEmail(email));
  }

  @Get('public-profiles')
  @ApiOkResponse({ type: PublicProfiles })
  @ApiOperation({ summary: 'Read the public profiles of several users' })
  async publicProfiles(@Query() { ids }: ProfilesQuery): Promise<PublicProfiles> {
    const users = await this.users.publicProfiles(ids);
    return { items: users.map(user => PublicProfile.of(user)) };
  }

  @Get(':id')
  @ApiOkResponse({ type: UserAnswer })
  @ApiOperation({ summary: 'Read a user' })
  @ApiErrors(ResourceNotFoundError)
  async byId(@Param() { id }: IdParam): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.byId(id));
  }

  @Patch(':id')
  @ApiOkResponse({ type: UserAnswer })
  @ApiOperation({ summary: 'Change a profile; what is not given stays' })
  @ApiErrors(ResourceNotFoundError)
  async updateProfile(@Param() { id }: IdParam, @Body() profile: UpdateProfile): Promise<UserAnswer> {
    return UserAnswer.of(await this.users.updateProfile(id, profile));
  }

  @Put(':id/password')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiOperation({ summary: 'Change the password' })
  @ApiErrors(ResourceNotFoundError, WrongPasswordError)
  async updatePassword(@Param() { id }: IdParam, @Body() passwords: UpdatePassword): Promise<void> {
    await this.users.updatePassword(id, passwords);
  }
}
