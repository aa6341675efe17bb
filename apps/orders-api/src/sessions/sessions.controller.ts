import { Sessions } from '@core-infra/cache';
import { ApiErrors } from '@core-infra/http';
import { RateLimit, RateLimitedError } from '@core-infra/rate-limit';
import { Body, Controller, Delete, Get, Headers, HttpCode, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { UserAnswer } from '../users/users.dto.js';
import { WrongCredentialsError } from '../users/users.errors.js';
import { UsersService } from '../users/users.service.js';
import { Login, SessionAnswer } from './sessions.dto.js';
import { NoSessionError } from './sessions.errors.js';

/** What a session of the sample knows. */
interface LoggedIn {
  userId: string;
}

/**
 * Logging in. Guesses are limited for each address, whomever they are about, and then for each account, wherever they come from: in this order an
 * address that is over its limit takes nothing from an account's.
 */
@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(
    private readonly sessions: Sessions<LoggedIn>,
    private readonly users: UsersService,
  ) {}

  @Post()
  @RateLimit({ name: 'login-address', limit: 20, windowMs: 60_000, by: 'ip' })
  @RateLimit({ name: 'login-account', limit: 5, windowMs: 60_000, by: ({ request }) => emailOf(request?.body) })
  @ApiCreatedResponse({ type: SessionAnswer })
  @ApiOperation({ summary: 'Log in' })
  @ApiErrors(WrongCredentialsError, RateLimitedError)
  async login(@Body() { email, password }: Login): Promise<SessionAnswer> {
    const user = await this.users.authenticate(email, password);
    const { id } = await this.sessions.create({ userId: user.id });
    return { token: id, user: UserAnswer.of(user) };
  }

  @Get('current')
  @ApiBearerAuth()
  @ApiOkResponse({ type: UserAnswer })
  @ApiOperation({ summary: 'Read the user of the session' })
  @ApiErrors(NoSessionError)
  async current(@Headers('authorization') authorization: string = ''): Promise<UserAnswer> {
    const session = await this.sessions.read(tokenOf(authorization));
    if (!session) throw new NoSessionError();
    return UserAnswer.of(await this.users.byId(session.data.userId));
  }

  @Delete('current')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiNoContentResponse()
  @ApiOperation({ summary: 'Log out' })
  async logout(@Headers('authorization') authorization: string = ''): Promise<void> {
    await this.sessions.destroy(tokenOf(authorization));
  }
}

/** The body as it was sent, before validation; what names no account is limited by its address. */
function emailOf(body: unknown): string | undefined {
  const email = (body as { email?: unknown } | null | undefined)?.email;
  return typeof email === 'string' ? email.trim().toLowerCase() : undefined;
}

function tokenOf(authorization: string): string {
  return /^Bearer +([\w-]+)$/i.exec(authorization)?.[1] ?? '';
}
