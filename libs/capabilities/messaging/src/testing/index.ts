import type { ContractSite } from './contract.js';
import { deliveryContract } from './delivery.contract.js';
import { failureContract } from './failure.contract.js';

export type { ContractSite };

/**
 * What every driver of messages keeps, as specs for a test runner with the globals `describe`, `it` and `expect`. Called in a `describe` of the driver's
 * own specs, with a real broker.
 */
export function messagingContract(site: ContractSite): void {
  describe('delivery', () => deliveryContract(site));
  describe('failure', () => failureContract(site));
}
