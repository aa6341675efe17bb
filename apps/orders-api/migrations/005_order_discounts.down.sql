ALTER TABLE orders DROP COLUMN discount_amount;
COMMENT ON COLUMN orders.total_amount IS NULL;
