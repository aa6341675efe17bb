import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext, Injectable, Optional, type PipeTransform } from '@nestjs/common';
import { HttpConfig } from '../http.config.js';
import type { PageQuery } from './page-query.js';
import type { PageSpec } from './page-spec.js';
import { describePage } from './page.openapi.js';
import { parsePageQuery } from './parse-page-query.js';

interface RawPage {
  readonly search: string;
  readonly spec: PageSpec;
}

@Injectable()
class PagePipe implements PipeTransform<RawPage, PageQuery> {
  constructor(@Optional() private readonly config: HttpConfig = new HttpConfig()) {}

  transform({ search, spec }: RawPage): PageQuery {
    return parsePageQuery(search, spec, this.config.paging, this.config.validation.status);
  }
}

const PageParam = createParamDecorator((spec: PageSpec, context: ExecutionContext): RawPage => {
  const { originalUrl, url } = context.switchToHttp().getRequest<IncomingMessage & { originalUrl?: string }>();
  const full = originalUrl ?? url ?? '';
  const start = full.indexOf('?');
  return { search: start < 0 ? '' : full.slice(start + 1), spec };
});

/**
 * Hands a handler the {@link PageQuery} of its request, and puts the parameters into the OpenAPI document.
 *
 * ```ts no-check
 * list(@Page({ sort: ['created_at'], filter: { is_active: 'boolean' } }) query: PageQuery) {}
 * ```
 */
export function Page(spec: PageSpec = {}): ParameterDecorator {
  return (target, method, index) => {
    PageParam(spec, PagePipe)(target, method, index);
    if (method !== undefined) describePage(target, method, spec);
  };
}
