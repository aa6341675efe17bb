export { messagingConcerns } from './broker.js';
export { MoneyData } from './money.data.js';
export { OrderCancelled, orderCancelled } from './order-cancelled.event.js';
export {
  OrderPaid,
  orderPaid,
  OrderRejected,
  orderRejected,
  type RejectionReason,
  rejectionReasons,
} from './order-outcome.events.js';
export { OrderedProduct, OrderPlaced, orderPlaced } from './order-placed.event.js';
export { StockChanged, stockChanged } from './stock-changed.event.js';
