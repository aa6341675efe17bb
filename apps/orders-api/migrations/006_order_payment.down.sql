UPDATE orders SET status = 'placed' WHERE status = 'paid';
UPDATE orders SET status = 'cancelled', cancelled_at = coalesce(cancelled_at, now()) WHERE status = 'rejected';

ALTER TABLE orders
  DROP COLUMN rejection_reason,
  DROP COLUMN paid_at,
  DROP CONSTRAINT orders_status_check,
  ADD CONSTRAINT orders_status_check CHECK (status IN ('placed', 'cancelled'));
