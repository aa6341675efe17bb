import type { CursorPageOf, PageOf } from '@core-infra/http';
import type { Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProperty, getSchemaPath } from '@nestjs/swagger';

class PageInfo implements Omit<PageOf<unknown>, 'items'> {
  @ApiProperty({ type: 'integer', example: 1 }) page!: number;
  @ApiProperty({ type: 'integer', example: 20 }) size!: number;
  @ApiProperty({ type: 'integer', example: 57 }) total!: number;
  @ApiProperty({ type: 'integer', example: 3 }) pages!: number;
}

class CursorInfo implements Omit<CursorPageOf<unknown>, 'items'> {
  @ApiProperty({ type: 'integer', example: 20 }) size!: number;
  @ApiProperty({ type: 'string', nullable: true, description: 'Hand it in as `after`; null at the end' })
  next!: string | null;
}

/** Documents a list of `item`, by page or by cursor. */
export function ApiPage(item: Type): MethodDecorator & ClassDecorator {
  const itemsOf = (info: Type) => ({
    allOf: [
      { $ref: getSchemaPath(info) },
      { properties: { items: { type: 'array', items: { $ref: getSchemaPath(item) } } } },
    ],
  });
  return (...target: unknown[]) => {
    for (const decorate of [
      ApiExtraModels(item, PageInfo, CursorInfo),
      ApiOkResponse({ schema: { oneOf: [itemsOf(PageInfo), itemsOf(CursorInfo)] } }),
    ])
      (decorate as (...target: unknown[]) => void)(...target);
  };
}
