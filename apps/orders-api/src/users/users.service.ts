import { InjectRepository, Repository } from '@core-infra/database';
import { ResourceNotFoundError } from '@core-infra/http';
import { AppLogger } from '@core-infra/logger';
import { Injectable } from '@nestjs/common';
import { In, QueryFailedError } from 'typeorm';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import type { CreateUser, UpdatePassword, UpdateProfile } from './users.dto.js';
import { EmailTakenError, WrongCredentialsError, WrongPasswordError } from './users.errors.js';

const UNIQUE_VIOLATION = '23505';

@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly passwords: Passwords,
    private readonly logger: AppLogger,
  ) {}

  /** @throws EmailTakenError */
  async create({ first_name, last_name, email, phone, password }: CreateUser): Promise<User> {
    const user = this.users.create({
      firstName: first_name,
      lastName: last_name,
      email,
      phone: phone ?? null,
      password: await this.passwords.hash(password),
    });
    try {
      await this.users.insert(user);
    } catch (error) {
      // Asking first would leave a gap between the question and the answer.
      if (isUniqueViolation(error)) throw new EmailTakenError({ cause: error });
      throw error;
    }
    this.logger.info('user created', { userId: user.id });
    return this.byId(user.id);
  }

  /** @throws ResourceNotFoundError */
  async byId(id: string): Promise<User> {
    const user = await this.users.findOneBy({ id });
    if (!user) throw new ResourceNotFoundError('User', id);
    return user;
  }

  /** @throws ResourceNotFoundError */
  async byEmail(email: string): Promise<User> {
    const user = await this.users.findOneBy({ email });
    if (!user) throw new ResourceNotFoundError('User', email);
    return user;
  }

  /** Changes what is given and leaves the rest. @throws ResourceNotFoundError */
  async updateProfile(id: string, { first_name, last_name, phone }: UpdateProfile): Promise<User> {
    await this.users.update({ id }, { firstName: first_name, lastName: last_name, phone });
    const user = await this.byId(id);
    this.logger.info('profile updated', { userId: id });
    return user;
  }

  /** Takes as long for an email address that nobody has. @throws WrongCredentialsError */
  async authenticate(email: string, password: string): Promise<User> {
    const found = await this.users.findOne({ where: { email }, select: { id: true, password: true } });
    const right = await this.passwords.verify(password, found?.password);
    this.logger.info('authentication', { ...(found && { userId: found.id }), succeeded: right });
    if (!found || !right) throw new WrongCredentialsError();
    return this.byId(found.id);
  }

  /** @throws ResourceNotFoundError, WrongPasswordError */
  async updatePassword(id: string, { current_password, new_password }: UpdatePassword): Promise<void> {
    const user = await this.users.findOne({ where: { id }, select: { id: true, password: true } });
    if (!user) throw new ResourceNotFoundError('User', id);
    const right = await this.passwords.verify(current_password, user.password);
    this.logger.info('authentication', { userId: id, succeeded: right });
    if (!right) throw new WrongPasswordError();
    // Two changes at once: the second one finds another hash than the one that it has checked.
    const password = await this.passwords.hash(new_password);
    const { affected } = await this.users.update({ id, password: user.password }, { password });
    if (affected === 0) throw new WrongPasswordError();
  }

  /** In the order of the ids; an unknown id is left out. */
  async publicProfiles(ids: readonly string[]): Promise<User[]> {
    const found = await this.users.find({
      where: { id: In([...ids]) },
      select: { id: true, firstName: true, lastName: true },
    });
    const byId = new Map(found.map(user => [user.id, user]));
    return [...new Set(ids.map(id => id.toLowerCase()))].flatMap(id => byId.get(id) ?? []);
  }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: string }).code === UNIQUE_VIOLATION;
}
