DROP TABLE fake_payments;
