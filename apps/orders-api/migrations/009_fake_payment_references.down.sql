DROP TABLE fake_refunds;

DELETE FROM fake_payments WHERE declined;
-- Before, an order had one charge.
DELETE FROM fake_payments newer USING fake_payments older
WHERE newer.reference = older.reference AND (newer.charged_at, newer.id) > (older.charged_at, older.id);
UPDATE fake_payments SET idempotency_key = reference;
ALTER TABLE fake_payments DROP COLUMN reference, DROP COLUMN declined;
