import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'SKU_TAKEN', status: 409, fault: 'client', summary: 'Another product has this SKU.' })
export class SkuTakenError extends InfraError {
  constructor(
    readonly sku: string,
    options?: ErrorOptions,
  ) {
    super('Another product has this SKU', '', options);
  }
}

/** What is short of one product. */
export interface Shortage {
  readonly product_id: string;
  readonly requested: number;
  readonly in_stock: number;
}

@ErrorSpec({
  code: 'OUT_OF_STOCK',
  status: 409,
  fault: 'client',
  summary: 'There is less of a product than was asked for.',
})
export class OutOfStockError extends InfraError {
  constructor(readonly products: readonly Shortage[]) {
    super('Not enough in stock');
  }
}

@ErrorSpec({
  code: 'UNKNOWN_PRODUCT',
  status: 422,
  fault: 'client',
  summary: 'An order names a product that does not exist or is not sold any more.',
})
export class UnknownProductError extends InfraError {
  constructor(readonly productIds: readonly string[]) {
    super('Unknown product');
  }
}
