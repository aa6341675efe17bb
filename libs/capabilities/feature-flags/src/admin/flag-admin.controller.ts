import { Body, Delete, Get, Headers, Inject, Optional, Param, Patch, Put, Query, Res } from '@nestjs/common';
import { RequestContext } from '@core-infra/kernel';
import { FeatureFlags } from '../feature-flags.js';
import { InvalidFlagsError } from '../errors.js';
import type { FlagHistoryEntry } from '../flag-store.js';
import { FlagConflictError, FlagNameError, FlagsReadOnlyError } from '../stores/errors.js';
import { type Edit, remove, replaceBy } from './edits.js';
import { FlagEditError, FlagPreconditionError, UnknownFlagError } from './errors.js';
import { type Edited, FlagEditor, type ListedFlag, type ListedFlags } from './flag-editor.js';
import {
  definitionSchema,
  Describe,
  editedSchema,
  flagSchema,
  flagsSchema,
  historySchema,
  patchSchema,
} from './openapi.js';
import { definitionOf, editOf, limitOf, versionOf } from './patch.js';

/** What Express' response and Fastify's reply have in common. */
interface Answer {
  header(name: string, value: string): unknown;
}

/** Which flags a mounted admin module is of. */
export const ADMIN_FLAGS = Symbol('core-infra:flags admin');

const changing = [FlagPreconditionError, FlagsReadOnlyError, InvalidFlagsError, FlagEditError] as const;

/** The routes of the admin module; it is mounted, with its path and its guards, by `FeatureFlagsAdminModule`. */
export class FlagAdminController {
  private readonly editor: FlagEditor;

  constructor(
    @Inject(ADMIN_FLAGS) flags: FeatureFlags,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {
    this.editor = new FlagEditor(flags);
  }

  @Get()
  @Describe({ summary: 'All flags', answer: flagsSchema })
  async list(@Res({ passthrough: true }) answer: Answer): Promise<ListedFlags> {
    return tagged(answer, await this.editor.list());
  }

  @Get(':flag')
  @Describe({ summary: 'One flag', answer: flagSchema, errors: [UnknownFlagError] })
  async get(@Param('flag') flag: string, @Res({ passthrough: true }) answer: Answer): Promise<ListedFlag> {
    return tagged(answer, await this.editor.get(flag));
  }

  @Get(':flag/history')
  @Describe({
    summary: 'Who changed the flag, from what, to what',
    answer: historySchema,
    errors: [FlagsReadOnlyError],
  })
  async history(
    @Param('flag') flag: string,
    @Query('limit') limit: string | undefined,
  ): Promise<{ entries: readonly FlagHistoryEntry[] }> {
    return { entries: await this.editor.history({ flag, limit: limitOf(limit) }) };
  }

  @Put(':flag')
  @Describe({
    summary: 'Creates a flag, or defines it anew',
    body: definitionSchema,
    answer: editedSchema,
    conditional: true,
    errors: [...changing, FlagNameError],
  })
  put(
    @Param('flag') flag: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) answer: Answer,
  ): Promise<Edited> {
    return this.edit(flag, replaceBy(definitionOf(body)), ifMatch, answer);
  }

  @Patch(':flag')
  @Describe({
    summary: 'Enables, disables or rolls out a flag, or changes its default variant',
    body: patchSchema,
    answer: editedSchema,
    conditional: true,
    errors: [UnknownFlagError, ...changing],
  })
  patch(
    @Param('flag') flag: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) answer: Answer,
  ): Promise<Edited> {
    return this.edit(flag, editOf(body), ifMatch, answer);
  }

  @Delete(':flag')
  @Describe({
    summary: 'Removes a flag from the store; one of the same name in the configuration is in force again',
    answer: editedSchema,
    conditional: true,
    errors: [UnknownFlagError, ...changing],
  })
  delete(
    @Param('flag') flag: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) answer: Answer,
  ): Promise<Edited> {
    return this.edit(flag, remove, ifMatch, answer);
  }

  /** Who it is comes from the authenticated request alone, never from what the caller writes. */
  private async edit(flag: string, edit: Edit, ifMatch: string | undefined, answer: Answer): Promise<Edited> {
    const ifVersion = versionOf(ifMatch);
    const by = this.context.current?.userId ?? 'unknown';
    try {
      return tagged(answer, await this.editor.edit(flag, edit, { by, ifVersion }));
    } catch (error) {
      if (ifVersion === undefined || !(error instanceof FlagConflictError)) throw error;
      throw new FlagPreconditionError(flag, error.found, { cause: error });
    }
  }
}

function tagged<T extends { readonly version: number }>(answer: Answer, value: T): T {
  answer.header('etag', `"${value.version}"`);
  answer.header('cache-control', 'no-store');
  return value;
}
